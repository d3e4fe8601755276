import { Ansis } from "ansis";
import type { Diagnostic, Position } from "#model/diagnostic.ts";
import { codeFrame } from "#document/code-frame.ts";
import { docsLink } from "#document/docs-link.ts";
import { documentCodes } from "#document/diagnostic-codes.ts";
import type { DocumentSource } from "#document/document-source.ts";
import { mayHoldSecret } from "#document/secret-lines.ts";

const diagnosticFormats = ["text", "json", "github"] as const;
export type DiagnosticFormat = (typeof diagnosticFormats)[number];

export interface FormatOptions {
  /** Colours for a terminal; off unless asked for. */
  readonly color?: boolean;
}

/**
 * Diagnostics for a person (`file:line:col: severity: message [code]`, code frame, hint), a
 * program (one JSON document) or GitHub's workflow commands. Sources give the code frames.
 */
export function formatDiagnostics(
  diagnostics: readonly Diagnostic[],
  sources: readonly DocumentSource[],
  format: DiagnosticFormat,
  options: FormatOptions = {},
): string {
  if (format === "json") {
    return `${JSON.stringify({ schemaVersion: 1, diagnostics: diagnostics.map(toJson) }, null, 2)}\n`;
  }
  if (format === "github") return diagnostics.map(toGithub).join("");
  const texts = new Map(sources.map((source) => [source.file, source.text]));
  const secrets = diagnostics.filter(({ code }) => code === documentCodes.literalSecret);
  const paint = new Ansis(options.color === true ? 1 : 0);
  return diagnostics.map((diagnostic) => toText(diagnostic, { texts, secrets, paint })).join("\n");
}

interface Around {
  readonly texts: ReadonlyMap<string, string>;
  /** Secrets that were written out. */
  readonly secrets: readonly Diagnostic[];
  readonly paint: Ansis;
}

function toText(diagnostic: Diagnostic, { texts, secrets, paint }: Around): string {
  const { file, range, severity, message, code, hint } = diagnostic;
  const colors = { error: paint.red, warning: paint.yellow, info: paint.cyan };
  const place = paint.bold(`${file}:${range.start.line}:${range.start.column}:`);
  const lines = [`${place} ${colors[severity](`${severity}:`)} ${message} [${code}]`];
  const text = texts.get(file) ?? "";
  const frame = codeFrame(text, range);
  if (frame !== undefined && isSecretLine(diagnostic, secrets, text)) {
    lines.push(paint.dim(`(line ${range.start.line} is not shown: it may hold a secret)`));
  } else if (frame !== undefined) {
    lines.push(frame.replace(/\^+$/, (carets) => colors[severity](carets)));
  }
  if (hint !== undefined) lines.push(`${paint.bold("hint:")} ${hint}`);
  const docs = docsLink(code);
  if (docs !== undefined) lines.push(paint.dim(`docs: ${docs}`));
  return `${lines.join("\n")}\n`;
}

/** A secret that was written out must not be shown once more, whatever else is wrong there. */
function isSecretLine(
  { file, range }: Diagnostic,
  secrets: readonly Diagnostic[],
  text: string,
): boolean {
  const { line } = range.start;
  const isFound = secrets.some(
    (one) => one.file === file && one.range.start.line <= line && line <= one.range.end.line,
  );
  return isFound || mayHoldSecret(text.split("\n"), line);
}

/** The JSON shape of one diagnostic: `{file, range: {start: {line, col}, end}, docs, …}`. */
export function toJson(diagnostic: Diagnostic): Readonly<Record<string, unknown>> {
  const { range, ...rest } = diagnostic;
  const docs = docsLink(diagnostic.code);
  return {
    ...rest,
    range: { start: toLineCol(range.start), end: toLineCol(range.end) },
    ...(docs === undefined ? {} : { docs }),
  };
}

function toLineCol({ line, column }: Position): { line: number; col: number } {
  return { line, col: column };
}

function toGithub(diagnostic: Diagnostic): string {
  const { file, range, severity, message, code, hint } = diagnostic;
  const command = severity === "info" ? "notice" : severity;
  const properties = [
    `file=${escapeProperty(file)}`,
    `line=${range.start.line}`,
    `endLine=${range.end.line}`,
    `col=${range.start.column}`,
    `endColumn=${range.end.column}`,
    `title=${code}`,
  ];
  const text = hint === undefined ? message : `${message}\nhint: ${hint}`;
  return `::${command} ${properties.join(",")}::${escapeData(text)}\n`;
}

function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
