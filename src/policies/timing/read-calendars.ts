import type { ParsedDocument } from "#document/parse-documents.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import type { CalendarDocument } from "#policies/timing/calendar-schema.ts";
import type { Calendar, CalendarDays } from "#policies/timing/calendar.ts";
import { parseCalendarDays } from "#policies/timing/parse-calendar-days.ts";

export interface ReadCalendars {
  /** Those without an error, by name. */
  readonly calendars: ReadonlyMap<string, Calendar>;
  /**
   * Where each name stands first, also of those with errors: what refers to a faulty calendar is
   * no second error.
   */
  readonly names: ReadonlyMap<string, string>;
  readonly diagnostics: readonly Diagnostic[];
}

/** Documents → named sets of days, together with those that were read before. */
export function readCalendars(
  documents: readonly ParsedDocument<CalendarDocument>[],
  before: Pick<ReadCalendars, "calendars" | "names"> = { calendars: new Map(), names: new Map() },
): ReadCalendars {
  const calendars = new Map(before.calendars);
  const names = new Map(before.names);
  const diagnostics: Diagnostic[] = [];
  for (const { value: document, places } of documents) {
    if (document === undefined) continue;
    const { name, description } = document.metadata;
    const first = names.get(name);
    if (first !== undefined) {
      const message = `there are two calendars "${name}"; the first is at ${first}`;
      const range = places.value(["metadata", "name"]);
      const hint = "give this one another name, or remove one of the two";
      diagnostics.push(places.diagnostic(range, { code: "E0160", message, hint }));
      continue;
    }
    names.set(name, places.label(["metadata", "name"]));
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
  return { calendars, names, diagnostics };
}
