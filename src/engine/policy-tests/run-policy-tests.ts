import { readPolicyTestSources } from "#config/policy-sources.ts";
import { type PreparedCase, prepareTests } from "#engine/policy-tests/prepare-tests.ts";
import { runStock } from "#engine/policy-tests/run-stock.ts";
import { stockCases } from "#engine/policy-tests/stock-cases.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import type { CaseReport, PolicyTestReport } from "#model/policy-test-report.ts";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { ClauseCoverage } from "#policies/testing/clause-coverage.ts";
import { strangeVariables } from "#policies/strange-variables.ts";
import { parsePolicyTests } from "#policies/testing/parse-policy-tests.ts";
import { loadDrivers } from "#registry.ts";

/**
 * Runs tests of policies (`*.thermocline-test.yaml`): the compiler, the planner and explain
 * themselves, over indexes in memory that hold what the tests suppose. Needs no configuration,
 * reads no clock and writes nothing. `variables` take the place of those of the documents.
 */
export async function runPolicyTests(
  places: readonly string[],
  cwd: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<PolicyTestReport> {
  const [registry, drivers] = await Promise.all([loadAttributes(), loadDrivers()]);
  const sources = await readPolicyTestSources(places, cwd);
  const parsed = parsePolicyTests(sources, [...drivers.keys()]);
  const diagnostics: Diagnostic[] = [...parsed.diagnostics];
  const cases: PreparedCase[] = [];
  const declared = new Set<string>();
  for (const suite of parsed.tests) {
    const prepared = await prepareTests(suite, { cwd, registry, variables });
    diagnostics.push(...prepared.diagnostics);
    for (const name of prepared.declared) declared.add(name);
    cases.push(...prepared.cases);
  }
  diagnostics.push(...strangeVariables(variables, [...declared]));
  const coverage = new ClauseCoverage();
  const run = { drivers, coverage, explained: { count: 0 } };
  const reports = new Map<PreparedCase, CaseReport>();
  for (const stock of stockCases(cases)) {
    const result = await runStock(stock, run);
    for (const [prepared, report] of result.reports) reports.set(prepared, report);
    diagnostics.push(...result.diagnostics);
  }
  return {
    diagnostics: [...new Map(diagnostics.map((one) => [JSON.stringify(one), one])).values()],
    cases: cases.flatMap((prepared) => reports.get(prepared) ?? []),
    coverage: coverage.report(),
  };
}
