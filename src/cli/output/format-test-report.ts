import { Ansis } from "ansis";
import { formatDiagnostics } from "#document/format-diagnostics.ts";
import type { DocumentSource } from "#document/document-source.ts";
import type { CaseReport, PolicyTestReport, RuleCoverage } from "#model/policy-test-report.ts";
import { printable } from "#cli/output/text-table.ts";
import { counted } from "#cli/output/words.ts";

/** Clauses that are named in full; the rest is counted. */
const clausesShown = 20;

/** What came of the tests, for people: failures with their reasons, and what was never tried. */
export function formatTestReport(
  report: PolicyTestReport,
  sources: readonly DocumentSource[],
  { color }: { readonly color: boolean },
): string {
  const paint = new Ansis(color ? 1 : 0);
  const failed = report.cases.filter(({ failures }) => failures.length > 0);
  const passed = report.cases.length - failed.length;
  const errors = report.diagnostics.length;
  const sums = [
    paint.green(`${counted(passed, "test")} passed`),
    ...(failed.length === 0 ? [] : [paint.red(`${failed.length} failed`)]),
    ...(errors === 0 ? [] : [paint.red(`${counted(errors, "error")} in the files`)]),
  ];
  return [
    formatDiagnostics(report.diagnostics, sources, "text", { color }),
    ...failed.map((one) => `${failureLines(one, paint).join("\n")}\n\n`),
    `${sums.join(", ")}\n`,
    ...coverageLines(report).map((line) => `${printable(line)}\n`),
  ].join("");
}

/** The share of what clauses could have been seen as: true, and not true. 100 without clauses. */
export function coveragePercent({ coverage }: PolicyTestReport): number {
  return coverage.outcomes === 0 ? 100 : (100 * coverage.seen) / coverage.outcomes;
}

function failureLines({ file, range, suite, name, failures }: CaseReport, paint: Ansis): string[] {
  const place = `${file}:${range.start.line}:${range.start.column}:`;
  return [
    `${paint.red("✗")} ${paint.bold(place)} ${printable(`${suite} › ${name}`)}`,
    ...failures.flatMap(({ message, why }) => [
      `    ${printable(message)}`,
      ...why.map((line) => `      ${printable(line)}`),
    ]),
  ];
}

function coverageLines(report: PolicyTestReport): readonly string[] {
  const { outcomes, seen, rules } = report.coverage;
  if (outcomes === 0) return [];
  const share = `${coveragePercent(report).toFixed(1)} %`;
  const open = rules.flatMap(openClauses);
  const head = `clauses seen true and false: ${seen} of ${outcomes} (${share})`;
  const rest = open.length - clausesShown;
  return [
    head,
    ...open.slice(0, clausesShown).map((line) => `  ${line}`),
    ...(rest > 0 ? [`  and ${counted(rest, "clause")} more (-o json names all)`] : []),
  ];
}

/** Clauses of a rule that no object of any test has made true, or not true. */
function openClauses({ rule, place, clauses }: RuleCoverage): readonly string[] {
  return clauses
    .filter(({ seenTrue, seenFalse }) => !seenTrue || !seenFalse)
    .map(({ text, seenTrue, seenFalse }) => {
      const never = seenTrue ? "never false" : seenFalse ? "never true" : "never asked";
      return `${never}: ${text}  (${rule}, ${place})`;
    });
}
