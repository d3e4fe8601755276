import type { DocumentSource } from "#document/document-source.ts";
import { type PreparedCase, prepareTests } from "#engine/policy-tests/prepare-tests.ts";
import { runStock } from "#engine/policy-tests/run-stock.ts";
import { stockCases } from "#engine/policy-tests/stock-cases.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import type { CaseReport, PolicyTestReport } from "#model/policy-test-report.ts";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { ClauseCoverage } from "#policies/testing/clause-coverage.ts";
import { parsePolicyTests } from "#policies/testing/parse-policy-tests.ts";
import { loadDrivers } from "#registry.ts";

/** What came of some test files, and what it rests on. */
export interface TestRun extends PolicyTestReport {
  /** Names of the variables that the policies have. */
  readonly declared: readonly string[];
  /** Files that were read besides the tests themselves. */
  readonly files: readonly string[];
}

/** Runs the tests of some files, those that can beside each other in one index. */
export async function runTestSources(
  sources: readonly DocumentSource[],
  cwd: string,
  variables: Readonly<Record<string, string>>,
): Promise<TestRun> {
  const [registry, drivers] = await Promise.all([loadAttributes(), loadDrivers()]);
  const parsed = parsePolicyTests(sources, [...drivers.keys()]);
  const diagnostics: Diagnostic[] = [...parsed.diagnostics];
  const cases: PreparedCase[] = [];
  const declared = new Set<string>();
  const files = new Set<string>();
  for (const suite of parsed.tests) {
    const prepared = await prepareTests(suite, { cwd, registry, variables });
    diagnostics.push(...prepared.diagnostics);
    for (const name of prepared.declared) declared.add(name);
    for (const file of prepared.files) files.add(file);
    cases.push(...prepared.cases);
  }
  const coverage = new ClauseCoverage();
  const run = { drivers, coverage, explained: { count: 0 } };
  const reports = new Map<PreparedCase, CaseReport>();
  for (const stock of stockCases(cases)) {
    const result = await runStock(stock, run);
    for (const [prepared, report] of result.reports) reports.set(prepared, report);
    diagnostics.push(...result.diagnostics);
  }
  return {
    diagnostics,
    cases: cases.flatMap((prepared) => reports.get(prepared) ?? []),
    coverage: coverage.report(),
    declared: [...declared],
    files: [...files],
  };
}
