import { formatDiagnostics } from "#document/format-diagnostics.ts";
import type { PolicyTestReport } from "#model/policy-test-report.ts";
import { testReportFindings } from "#cli/output/test-report-findings.ts";

/** Failures as workflow commands, which GitHub shows beside the lines of the test files. */
export function testReportToGithub(report: PolicyTestReport): string {
  return formatDiagnostics(testReportFindings(report), [], "github");
}
