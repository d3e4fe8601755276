import type { Diagnostic } from "#model/diagnostic.ts";
import type { JunitSuite } from "#cli/output/junit-xml.ts";

/** Findings in files as JUnit suites, one for each file; warnings are cases that pass. */
export function diagnosticsToJunit(diagnostics: readonly Diagnostic[]): readonly JunitSuite[] {
  const files = [...new Set(diagnostics.map(({ file }) => file))];
  return files.map((name) => ({
    name,
    cases: diagnostics
      .filter(({ file }) => file === name)
      .map(({ file, range, severity, code, message, hint }) => {
        const { line, column } = range.start;
        const place = `${file}:${line}:${column}`;
        const text = [`${place}: ${severity}: ${message} [${code}]`, hint ?? ""].filter(Boolean);
        const failure = severity === "error" ? { message, text: text.join("\n") } : undefined;
        return { name: `${code} at ${line}:${column}: ${message}`, file, line, failure };
      }),
  }));
}
