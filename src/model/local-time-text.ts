import { DateTime } from "luxon";

/** A moment as the clocks of a zone show it: `Sat 2026-03-28 22:00 Europe/Berlin`. */
export function localTimeText(at: Date, zone: string): string {
  const shown = DateTime.fromJSDate(at, { zone }).setLocale("en").toFormat("ccc yyyy-MM-dd HH:mm");
  return `${shown} ${zone}`;
}
