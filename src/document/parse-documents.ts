import { parseAllDocuments } from "yaml";
import type { Document } from "yaml";
import type { ZodType } from "zod";
import type { Diagnostic } from "#model/diagnostic.ts";
import { aliasFindings } from "#document/alias-findings.ts";
import { checkValue } from "#document/check-value.ts";
import { documentCodes } from "#document/diagnostic-codes.ts";
import { DocumentPlaces } from "#document/document-places.ts";
import type { DocumentSource } from "#document/document-source.ts";
import { LineStarts } from "#document/line-starts.ts";
import { syntaxFindings } from "#document/syntax-findings.ts";

/** One YAML document of a file. */
export interface ParsedDocument<T> {
  /** Present exactly when the document has no error. */
  readonly value: T | undefined;
  /** The YAML value before validation; undefined when the text is not valid YAML. */
  readonly raw: unknown;
  readonly places: DocumentPlaces;
}

export interface ParsedDocuments<T> {
  readonly documents: readonly ParsedDocument<T>[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Longest text that is parsed at all, in UTF-16 units. */
export const documentLengthMax = 4 * 1024 * 1024;

/** The schema of a document; a function chooses it by the YAML value. */
export type SchemaChoice<T> = ZodType<T> | ((raw: unknown) => ZodType<T>);

/**
 * YAML 1.2 text → validated values with the place of every key, and everything that is wrong
 * with them at once. Documents are separated by `---`; empty ones are skipped.
 */
export function parseDocuments<T>(
  source: DocumentSource,
  schema: SchemaChoice<T>,
): ParsedDocuments<T> {
  const clean = { file: source.file, text: source.text.replace(/^\uFEFF/, "") };
  if (clean.text.length > documentLengthMax) return tooLarge(clean);
  const lines = new LineStarts(clean.text);
  const parsed = parseAllDocuments(clean.text, {
    prettyErrors: false,
    stringKeys: true,
    strict: true,
    uniqueKeys: true,
    version: "1.2",
  });
  const written = Array.isArray(parsed) ? parsed.filter(isWritten) : [];
  if (written.length === 0) return empty(clean);
  const results = written.map((document) => readDocument(clean, document, lines, schema));
  return {
    documents: results.map((result) => result.document),
    diagnostics: results.flatMap((result) => result.diagnostics),
  };
}

function readDocument<T>(
  source: DocumentSource,
  document: Document.Parsed,
  lines: LineStarts,
  schema: SchemaChoice<T>,
): { document: ParsedDocument<T>; diagnostics: readonly Diagnostic[] } {
  const places = new DocumentPlaces(source, document, lines);
  const syntax = syntaxFindings(document, places);
  const findings = syntax.length > 0 ? syntax : aliasFindings(document, places);
  if (findings.length > 0) {
    return { document: { value: undefined, raw: undefined, places }, diagnostics: findings };
  }
  // Expansion is bounded above, in time that does not depend on it.
  const raw: unknown = document.toJS({ maxAliasCount: -1 });
  const chosen = typeof schema === "function" ? schema(raw) : schema;
  const checked = checkValue(places, [], raw, chosen);
  return { document: { value: checked.value, raw, places }, diagnostics: checked.diagnostics };
}

function isWritten(document: Document.Parsed): boolean {
  if (document.errors.length > 0) return true;
  const contents = document.contents;
  return contents !== null && contents.range[1] > contents.range[0];
}

function tooLarge(source: DocumentSource): ParsedDocuments<never> {
  return wholeFile(source, documentCodes.tooLarge, {
    message: `the file has ${source.text.length} characters; at most ${documentLengthMax} are read`,
    hint: "split it into several files",
  });
}

function empty(source: DocumentSource): ParsedDocuments<never> {
  return wholeFile(source, documentCodes.empty, {
    message: "the file holds no document",
    hint: "start with `apiVersion: thermocline/v1`, or remove the file",
  });
}

function wholeFile(
  source: DocumentSource,
  code: string,
  text: { message: string; hint: string },
): ParsedDocuments<never> {
  const start = { line: 1, column: 1 };
  const range = { start, end: start };
  const diagnostic = { file: source.file, range, severity: "error", code, ...text } as const;
  return { documents: [], diagnostics: [diagnostic] };
}
