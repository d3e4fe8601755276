import { formatDiagnostics } from "#document/format-diagnostics.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import type { PolicyTestReport } from "#model/policy-test-report.ts";

/** Failures as workflow commands, which GitHub shows beside the lines of the test files. */
export function testReportToGithub({ cases, diagnostics }: PolicyTestReport): string {
  const failures = cases.flatMap(({ file, suite, name, failures }) =>
    failures.map(({ range, message, why }): Diagnostic => {
      const text = [`${suite} › ${name}: ${message}`, ...why].join("\n");
      return { file, range, severity: "error", code: "policy test", message: text };
    }),
  );
  return formatDiagnostics([...diagnostics, ...failures], [], "github");
}
