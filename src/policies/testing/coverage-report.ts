import type { CoverageReport, RuleCoverage } from "#model/policy-test-report.ts";

/** The clauses of some rules, and how much of them was seen. */
export function coverageReport(rules: readonly RuleCoverage[]): CoverageReport {
  const all = rules.flatMap(({ clauses }) => clauses);
  const seen = all.reduce(
    (sum, { seenTrue, seenFalse }) => sum + Number(seenTrue) + Number(seenFalse),
    0,
  );
  return { outcomes: 2 * all.length, seen, rules };
}
