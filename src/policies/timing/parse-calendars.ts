import type { DocumentSource } from "#document/document-source.ts";
import { parseDocuments } from "#document/parse-documents.ts";
import { calendarSchema } from "#policies/timing/calendar-schema.ts";
import { type ReadCalendars, readCalendars } from "#policies/timing/read-calendars.ts";

export interface ParsedCalendars extends ReadCalendars {
  /** The files that they are from. */
  readonly files: ReadonlySet<string>;
}

/** Texts of calendar files → named sets of days, and everything that is wrong with them. */
export function parseCalendars(sources: readonly DocumentSource[]): ParsedCalendars {
  const parsed = sources.map((source) => parseDocuments(source, calendarSchema));
  const read = readCalendars(parsed.flatMap(({ documents }) => documents));
  const diagnostics = [...parsed.flatMap((one) => one.diagnostics), ...read.diagnostics];
  return { ...read, diagnostics, files: new Set(sources.map(({ file }) => file)) };
}
