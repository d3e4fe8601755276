import { toJson } from "#document/format-diagnostics.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import type { PolicyTestReport } from "#model/policy-test-report.ts";
import { coveragePercent } from "#cli/output/format-test-report.ts";

/** The JSON document of tests of policies. */
export function testReportJson(report: PolicyTestReport): Readonly<Record<string, unknown>> {
  const { cases, coverage, diagnostics } = report;
  const failed = cases.filter(({ failures }) => failures.length > 0).length;
  return {
    passed: cases.length - failed,
    failed,
    errors: diagnostics.length,
    diagnostics: diagnostics.map(toJson),
    cases: cases.map(({ failures, range, ...one }) => ({
      ...one,
      ...lineOf(range),
      passed: failures.length === 0,
      failures: failures.map(({ range: place, ...failure }) => ({ ...failure, ...lineOf(place) })),
    })),
    coverage: { percent: coveragePercent(report), ...coverage },
  };
}

function lineOf({ start }: Diagnostic["range"]): { readonly line: number; readonly col: number } {
  return { line: start.line, col: start.column };
}
