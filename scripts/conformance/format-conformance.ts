import type { ConformanceReport, SubjectConformance } from "./conformance-report.ts";

/** The report as a table, with the reason of each skip and failure below. */
export function formatConformance({ drivers, problems, conforms }: ConformanceReport): string {
  const subjects = drivers.flatMap((driver) => driver.subjects);
  const rows = [
    ["kit on", "server", "passed", "failed", "skipped", "time"],
    ...subjects.map(({ subject, server, passed, failed, skipped, tookMs }) => [
      subject,
      server ?? "not asked",
      String(passed),
      String(failed),
      String(skipped),
      `${(tookMs / 1000).toFixed(1)} s`,
    ]),
  ];
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const table = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const lines = [...table, ...subjects.flatMap(details), ...problems.map((text) => `- ${text}`)];
  return `${lines.join("\n")}\n${conforms ? "conforms" : "does not conform"}\n`;
}

function details({ subject, failures, skips }: SubjectConformance): readonly string[] {
  const reasons = Map.groupBy(skips, ({ reason }) => reason);
  return [
    ...failures.map(({ test, message }) => `failed: ${subject}: ${test}: ${firstLine(message)}`),
    ...[...reasons].map(([reason, tests]) => {
      const what = tests.length > 1 ? `${tests.length} tests` : (tests[0]?.test ?? "");
      return `skipped: ${subject}: ${what}: ${reason}`;
    }),
  ];
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
