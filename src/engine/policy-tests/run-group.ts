import type { PreparedCase } from "#engine/policy-tests/prepare-tests.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import type { DriverDefinition } from "#model/driver.ts";
import type { CaseFailure, CaseReport } from "#model/policy-test-report.ts";
import type { ReadSession } from "#model/sql.ts";
import { compilePolicies } from "#policies/compile-policies.ts";
import type { Moment } from "#policies/compiled-policy.ts";
import { checkRuleNames } from "#policies/testing/check-rule-names.ts";
import type { ClauseCoverage } from "#policies/testing/clause-coverage.ts";
import { type Evaluation, evaluateWave, type LoadedCase } from "#policies/testing/evaluate-wave.ts";
import { failureWords } from "#policies/testing/failure-words.ts";
import { type Finding, judgeCase } from "#policies/testing/judge-case.ts";
import { wavesOf } from "#policies/testing/waves.ts";

/** Objects that explain is asked about in one run of all tests: each costs as much as a plan. */
const explainedMax = 50;

/** What all cases of one run of `thermocline test` share. */
export interface StockRun {
  readonly drivers: ReadonlyMap<string, DriverDefinition>;
  readonly coverage: ClauseCoverage;
  /** Objects that explain was asked about. */
  readonly explained: { count: number };
}

export interface StockResult {
  /** Absent for cases that could not be run; then diagnostics say why. */
  readonly reports: ReadonlyMap<PreparedCase, CaseReport>;
  readonly diagnostics: readonly Diagnostic[];
}

/** A case with the ids of its objects in the index. */
export type StockedCase = PreparedCase & LoadedCase & { readonly prepared: PreparedCase };

export interface GroupRun extends StockRun {
  readonly moment: Moment;
  readonly session: ReadSession;
}

/** Runs cases of one document that suppose the same clock, backends and variables. */
export async function runGroup(
  group: readonly [StockedCase, ...StockedCase[]],
  { moment, session, coverage, explained }: GroupRun,
): Promise<StockResult> {
  const { policies, suite } = group[0];
  const compiled = compilePolicies(policies, moment);
  const diagnostics: readonly Diagnostic[] = [
    ...compiled.diagnostics.filter(({ severity }) => severity === "error"),
    ...group.flatMap(({ test }) => checkRuleNames(test, compiled.set, suite.places)),
  ];
  const reports = new Map<PreparedCase, CaseReport>();
  if (diagnostics.length > 0) return { reports, diagnostics };
  const { set } = compiled;
  const evaluation = { set, session, minimumCopies: suite.minimumCopies };
  const names = new Map(moment.backends.map(({ id, name }) => [id, name]));
  for (const wave of wavesOf(group, policies, moment.backends)) {
    const outcomes = await evaluateWave(evaluation, wave);
    const ids = wave.flatMap((one) => one.ids);
    await coverage.observe(evaluation, ids);
    for (const [at, outcome] of outcomes.entries()) {
      const { prepared, test } = wave[at] as StockedCase;
      const findings = judgeCase(outcome, names, suite.places);
      reports.set(prepared, {
        file: suite.places.source.file,
        suite: suite.name,
        name: test.name,
        range: suite.places.value([...test.path, "name"]),
        failures: await withReasons(findings, evaluation, explained),
      });
    }
  }
  return { reports, diagnostics };
}

/** Failures with what explain says of their object, each object once. */
async function withReasons(
  findings: readonly Finding[],
  evaluation: Evaluation,
  explained: { count: number },
): Promise<readonly CaseFailure[]> {
  const told = new Set<number>();
  const failures: CaseFailure[] = [];
  for (const finding of findings) {
    const { objectId, rules: _rules, ...failure } = finding;
    if (failure.kind === "cost") {
      failures.push({ ...failure, why: [] });
      continue;
    }
    const rules = findings
      .filter((other) => other.objectId === objectId)
      .flatMap((other) => (other.rules.length === 0 ? everyRule(evaluation) : other.rules));
    const isFirst = !told.has(objectId);
    told.add(objectId);
    if (isFirst) explained.count += 1;
    const why = !isFirst
      ? []
      : explained.count > explainedMax
        ? [`only the first ${explainedMax} objects that differ are explained`]
        : await failureWords(evaluation, { objectId, rules });
    failures.push({ ...failure, why });
  }
  return failures;
}

function everyRule({ set }: Evaluation): readonly string[] {
  return set.rules.map(({ id }) => id);
}
