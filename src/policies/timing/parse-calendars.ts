import type { DocumentSource } from "#document/document-source.ts";
import { parseDocuments } from "#document/parse-documents.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import type { Calendar, CalendarDays } from "#policies/timing/calendar.ts";
import { calendarSchema } from "#policies/timing/calendar-schema.ts";
import { parseCalendarDays } from "#policies/timing/parse-calendar-days.ts";

export interface ParsedCalendars {
  /** Those without an error, by name. */
  readonly calendars: ReadonlyMap<string, Calendar>;
  /** Every name that some document has: what refers to a faulty calendar is no second error. */
  readonly names: ReadonlySet<string>;
  readonly diagnostics: readonly Diagnostic[];
}

/** Texts of calendar files → named sets of days, and everything that is wrong with them. */
export function parseCalendars(sources: readonly DocumentSource[]): ParsedCalendars {
  const calendars = new Map<string, Calendar>();
  const firstPlaces = new Map<string, string>();
  const diagnostics: Diagnostic[] = [];
  for (const source of sources) {
    const parsed = parseDocuments(source, calendarSchema);
    diagnostics.push(...parsed.diagnostics);
    for (const { value: document, places } of parsed.documents) {
      if (document === undefined) continue;
      const { name, description } = document.metadata;
      const first = firstPlaces.get(name);
      if (first !== undefined) {
        const message = `there are two calendars "${name}"; the first is at ${first}`;
        const range = places.value(["metadata", "name"]);
        const hint = "give this one another name, or remove one of the two";
        diagnostics.push(places.diagnostic(range, { code: "E0160", message, hint }));
        continue;
      }
      firstPlaces.set(name, places.label(["metadata", "name"]));
      const days: CalendarDays[] = [];
      for (const [position, entry] of document.days.entries()) {
        const read = parseCalendarDays(entry);
        if ("kind" in read) days.push(read);
        else {
          const range = places.value(["days", position]);
          diagnostics.push(places.diagnostic(range, { code: "E0169", ...read }));
        }
      }
      if (days.length === document.days.length) calendars.set(name, { name, description, days });
    }
  }
  return { calendars, names: new Set(firstPlaces.keys()), diagnostics };
}
