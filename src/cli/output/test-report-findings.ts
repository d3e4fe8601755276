import type { Diagnostic } from "#model/diagnostic.ts";
import type { PolicyTestReport } from "#model/policy-test-report.ts";

/** The code of a failed test, for what shows failures as findings in files. */
export const failedTestCode = "policy test";

/** What is wrong in the files of tests, and each failure at the place in them that expects else. */
export function testReportFindings({ cases, diagnostics }: PolicyTestReport): Diagnostic[] {
  const failures = cases.flatMap(({ file, suite, name, failures }) =>
    failures.map(({ range, message, why }): Diagnostic => {
      const text = [`${suite} › ${name}: ${message}`, ...why].join("\n");
      return { file, range, severity: "error", code: failedTestCode, message: text };
    }),
  );
  return [...diagnostics, ...failures];
}
