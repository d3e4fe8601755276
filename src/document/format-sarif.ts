import { pathToFileURL } from "node:url";
import { isAbsolute } from "node:path";
import type { Diagnostic } from "#model/diagnostic.ts";

/** What a code means and what to do, for the list of rules of the report. */
export type CodeMeanings = Readonly<Record<string, readonly [finding: string, remedy: string]>>;

const levels = { error: "error", warning: "warning", info: "note" } as const;

/** Diagnostics as SARIF 2.1.0, which code hosts and editors read. */
export function formatSarif(
  diagnostics: readonly Diagnostic[],
  version: string,
  meanings: CodeMeanings,
): string {
  const codes = [...new Set(diagnostics.map(({ code }) => code))].toSorted();
  const driver = {
    name: "thermocline",
    semanticVersion: version,
    rules: codes.map((code) => ruleOf(code, meanings[code])),
  };
  const report = {
    $schema:
      "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver },
        // Columns count UTF-16 units, as those of our places do.
        columnKind: "utf16CodeUnits",
        results: diagnostics.map((diagnostic) => resultOf(diagnostic, codes)),
      },
    ],
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}

function ruleOf(code: string, meaning: readonly [finding: string, remedy: string] | undefined) {
  if (meaning === undefined) return { id: code };
  const [finding, remedy] = meaning;
  return { id: code, shortDescription: { text: finding }, help: { text: remedy } };
}

function resultOf(
  { file, range, severity, code, message, hint }: Diagnostic,
  codes: readonly string[],
) {
  const { start, end } = range;
  return {
    ruleId: code,
    ruleIndex: codes.indexOf(code),
    level: levels[severity],
    message: { text: hint === undefined ? message : `${message}\nhint: ${hint}` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(file) },
          region: {
            startLine: start.line,
            startColumn: start.column,
            endLine: end.line,
            endColumn: end.column,
          },
        },
      },
    ],
  };
}

/** Relative paths stay relative to the root of the repository that is looked at. */
function uriOf(file: string): string {
  if (isAbsolute(file)) return pathToFileURL(file).href;
  return file.replaceAll("\\", "/").split("/").map(encodeURIComponent).join("/");
}
