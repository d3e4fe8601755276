import type { TestRun } from "#engine/policy-tests/run-test-sources.ts";
import type { PolicyTestReport, RuleCoverage } from "#model/policy-test-report.ts";
import { strangeVariables } from "#policies/strange-variables.ts";
import { coverageReport } from "#policies/testing/coverage-report.ts";

/**
 * One report of several runs, in their order. What is wrong with a policy that several of them are
 * of is told once, and a clause is covered when any of them has seen it.
 */
export function joinTestRuns(
  runs: readonly TestRun[],
  variables: Readonly<Record<string, string>>,
): PolicyTestReport {
  const declared = runs.flatMap((run) => run.declared);
  const diagnostics = [
    ...runs.flatMap((run) => run.diagnostics),
    ...strangeVariables(variables, [...new Set(declared)]),
  ];
  return {
    diagnostics: [...new Map(diagnostics.map((one) => [JSON.stringify(one), one])).values()],
    cases: runs.flatMap(({ cases }) => cases),
    coverage: coverageReport(joinRules(runs.flatMap(({ coverage }) => coverage.rules))),
  };
}

function joinRules(rules: readonly RuleCoverage[]): readonly RuleCoverage[] {
  const joined = new Map<string, RuleCoverage>();
  for (const rule of rules) {
    const key = `${rule.rule} ${rule.place}`;
    const before = joined.get(key);
    joined.set(key, before === undefined ? rule : seenByEither(before, rule));
  }
  return [...joined.values()];
}

function seenByEither(one: RuleCoverage, other: RuleCoverage): RuleCoverage {
  const clauses = one.clauses.map(({ text, seenTrue, seenFalse }, at) => {
    const also = other.clauses[at];
    return {
      text,
      seenTrue: seenTrue || also?.seenTrue === true,
      seenFalse: seenFalse || also?.seenFalse === true,
    };
  });
  return { ...one, clauses };
}
