import { readPolicyTestSources } from "#config/policy-sources.ts";
import { joinTestRuns } from "#engine/policy-tests/join-test-runs.ts";
import { runTestSources } from "#engine/policy-tests/run-test-sources.ts";
import type { PolicyTestReport } from "#model/policy-test-report.ts";

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
  const sources = await readPolicyTestSources(places, cwd);
  return joinTestRuns([await runTestSources(sources, cwd, variables)], variables);
}
