import type { RuleExplanation } from "#model/explanation.ts";
import { explainObject } from "#policies/explain/explain-object.ts";
import { isRule } from "#policies/testing/match-expectations.ts";
import type { Evaluation } from "#policies/testing/evaluate-wave.ts";
import type { Finding } from "#policies/testing/judge-case.ts";

/** What explain says of the object of a finding: its conclusion, and the rules in question. */
export async function failureWords(
  { set, session, minimumCopies }: Evaluation,
  { objectId, rules: named }: Pick<Finding, "objectId" | "rules">,
): Promise<readonly string[]> {
  const explained = await explainObject(set, session, objectId, { minimumCopies });
  const { rules, conclusion } = explained;
  const inQuestion = rules.filter(
    ({ rule, matched }) => matched || named.length === 0 || named.some((one) => isRule(one, rule)),
  );
  return [
    ...conclusion.map((sentence) => `the plan: ${sentence}`),
    ...inQuestion.flatMap(ruleWords),
  ];
}

/** The result of a rule, and of its clauses those that do not hold, or all when they do. */
function ruleWords({ rule, place, matched, result, clauses }: RuleExplanation): readonly string[] {
  const telling = matched ? clauses : clauses.filter(({ holds }) => !holds);
  return [
    `${rule} (${place}): ${result}`,
    ...telling.map(({ text, holds, value, flip }) => {
      const facts = [value === "" ? "" : `now ${value}`, flip ?? ""].filter(Boolean).join("; ");
      return `  ${holds ? "✓" : "✗"} ${text}${facts === "" ? "" : `  (${facts})`}`;
    }),
  ];
}
