import type { Explanation, RuleExplanation } from "#model/explanation.ts";
import { formatSize } from "#model/quantity.ts";
import { formatCopies } from "#cli/output/format-object.ts";
import { printable } from "#cli/output/text-table.ts";

/** Columns that a value may take up in a line. */
const valueColumns = 60;

/** Why something will, or will not, happen to one object: every rule, clause by clause. */
export function formatExplanation(explanation: Explanation, now: Date): string {
  const { object, evaluatedAt, rules, conclusion, nextChange } = explanation;
  const lines = [
    printable(`${object.path ?? "(no name)"}  ${formatSize(object.size)}`),
    ...otherNames(object).map((name) => printable(`also ${name}`)),
    object.cid,
    `evaluated at ${evaluatedAt}`,
    "",
    formatCopies(object, now).trimEnd(),
    ...rules.flatMap(ruleLines),
    "",
    ...conclusion.map((sentence) => `⇒ ${printable(sentence)}`),
  ];
  if (nextChange !== undefined) lines.push(`next change: ${nextChange.at}, ${nextChange.what}`);
  return `${lines.join("\n")}\n`;
}

/** Names that are written out; `objects show` has all of them. */
const namesMax = 5;

/** Rules that read names see all of them: who looks for one of them shall find it. */
function otherNames({ path, names }: Explanation["object"]): readonly string[] {
  const others = names.filter((name) => name !== path);
  const rest = others.length - namesMax;
  return [...others.slice(0, namesMax), ...(rest > 0 ? [`${rest} more names`] : [])];
}

function ruleLines(rule: RuleExplanation): readonly string[] {
  const mark = rule.matched ? "✓" : "✗";
  return [
    "",
    `${mark} ${rule.rule} (${rule.verb})  ${rule.place}`,
    ...rule.clauses.map((clause) => {
      const facts = [
        clause.value === "" ? "" : `now ${shortened(clause.value)}`,
        clause.flip ?? "",
      ];
      const said = facts.filter(Boolean).join("; ");
      const mark = clause.holds ? "✓" : "✗";
      return printable(`    ${mark} ${clause.text}${said === "" ? "" : `  (${said})`}`);
    }),
    `    ${printable(rule.result)}`,
  ];
}

/** Long paths keep their beginning and their end. */
function shortened(value: string): string {
  if (value.length <= valueColumns) return value;
  const half = (valueColumns - 1) / 2;
  return `${value.slice(0, Math.ceil(half))}…${value.slice(-Math.floor(half))}`;
}
