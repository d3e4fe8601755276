import type { PolicyTestReport } from "#model/policy-test-report.ts";
import { diagnosticsToJunit } from "#cli/output/diagnostics-to-junit.ts";
import { type JunitCase, type JunitSuite, junitXml } from "#cli/output/junit-xml.ts";

/** Tests of policies as JUnit XML; files that cannot be read are suites of their own. */
export function testReportToJunit({ cases, diagnostics }: PolicyTestReport): string {
  const suites = new Map<string, JunitCase[]>();
  for (const { suite, name, file, range, failures } of cases) {
    const own = suites.get(suite) ?? [];
    suites.set(suite, own);
    const texts = failures.flatMap(({ message, why }) => [
      message,
      ...why.map((line) => `  ${line}`),
    ]);
    const message = failures.map((failure) => failure.message).join("; ");
    const failure = failures.length === 0 ? undefined : { message, text: texts.join("\n") };
    own.push({ name, file, line: range.start.line, failure });
  }
  const ofCases = [...suites].map(([name, own]): JunitSuite => ({ name, cases: own }));
  return junitXml([...diagnosticsToJunit(diagnostics), ...ofCases]);
}
