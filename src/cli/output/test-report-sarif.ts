import { formatSarif } from "#document/format-sarif.ts";
import type { PolicyTestReport } from "#model/policy-test-report.ts";
import { failedTestCode, testReportFindings } from "#cli/output/test-report-findings.ts";
import { codeMeanings } from "#engine/code-meanings.ts";
import { readVersion } from "#cli/version.ts";

/** Failures as SARIF 2.1.0, which code hosts and editors show beside the lines of the test files. */
export async function testReportToSarif(report: PolicyTestReport): Promise<string> {
  const meanings = {
    ...codeMeanings,
    [failedTestCode]: [
      "a plan is not what a test of policies expects",
      "mend the rule, or expect what it does now; `thermocline test` says why it does",
    ] as const,
  };
  return formatSarif(testReportFindings(report), await readVersion(), meanings);
}
