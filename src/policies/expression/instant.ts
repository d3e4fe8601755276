/** A day, or a moment of it, in UTC unless it says otherwise: a regular expression (RE2 too). */
export const instantPattern =
  "\\d{4}-\\d{2}-\\d{2}" +
  "(?:[T ]\\d{2}:\\d{2}(?::\\d{2}(?:\\.\\d{1,3})?)?(?:Z|[+-]\\d{2}:\\d{2})?)?";

/** Milliseconds since 1970 of a text that the pattern fits; undefined when there is no such day. */
export function parseInstant(written: string): number | undefined {
  const text = written.replace(" ", "T");
  const withTime = text.includes("T") ? text : `${text}T00:00`;
  const value = Date.parse(/Z|[+-]\d{2}:\d{2}$/.test(withTime) ? withTime : `${withTime}Z`);
  return Number.isNaN(value) || Number(text.slice(8, 10)) > daysIn(text) ? undefined : value;
}

/** JavaScript rolls the 31st of a short month over; people mean an error. */
function daysIn(text: string): number {
  return new Date(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)), 0)).getUTCDate();
}
