import type { DocumentPlaces, Finding } from "#document/document-places.ts";
import { nearestMatch } from "#model/nearest-match.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import type { PolicyDocument } from "#policies/policy-schema.ts";
import type { ParsedCalendars } from "#policies/timing/parse-calendars.ts";
import { parseTimeRange } from "#policies/timing/parse-time-range.ts";
import { coversRange, type HoursOfDays, type TimeRange } from "#policies/timing/time-range.ts";
import { Windows } from "#policies/timing/windows.ts";

export type TimingReport = (range: Diagnostic["range"], finding: Finding) => void;

type WindowsDocument = NonNullable<PolicyDocument["windows"]>;
type Calendars = Pick<ParsedCalendars, "calendars" | "names">;

/** The windows of a policy, with everything that is wrong with them reported. */
export function readWindows(
  document: WindowsDocument | undefined,
  zone: string,
  calendars: Calendars,
  places: DocumentPlaces,
  report: TimingReport,
): Windows | undefined {
  if (document === undefined) return undefined;
  const read = (key: "allow" | "deny"): readonly TimeRange[] =>
    (document[key] ?? []).flatMap((entry, at) => {
      const path = ["windows", key, at];
      if (typeof entry !== "string") {
        const range = places.value([...path, "calendar"]);
        return readCalendar(entry.calendar, calendars, (finding) => {
          report(range, finding);
        });
      }
      const parsed = parseTimeRange(entry);
      if ("kind" in parsed) return [parsed];
      const { start, end, message, hint } = parsed;
      report(places.within(path, start, end), { code: "E0166", message, hint });
      return [];
    });
  const [allow, deny] = [read("allow"), read("deny")];
  const windows = new Windows({ allow, deny, zone, onClose: document.onClose });
  const isComplete =
    allow.length === (document.allow ?? []).length && deny.length === (document.deny ?? []).length;
  if (!isComplete) return windows;
  for (const key of ["allow", "deny"] as const) {
    reportIdle(windows[key], (index, message) => {
      const hint = "remove it, or check its days and hours";
      const finding = { severity: "warning", code: "W0413", message, hint } as const;
      report(places.value(["windows", key, index]), finding);
    });
  }
  if (windows.nextOpen(reference) === undefined) {
    const hint = "what is denied covers all that is allowed";
    const message = "these windows never open: the policy would never act";
    report(places.key(["windows"]), { code: "E0168", message, hint });
  }
  return windows;
}

/** Windows that open at all do so within years of any moment. */
const reference = new Date("2026-01-01T00:00:00Z");

function readCalendar(
  name: string,
  { calendars, names }: Calendars,
  report: (finding: Finding) => void,
): readonly TimeRange[] {
  const calendar = calendars.get(name);
  if (calendar !== undefined) return [{ kind: "calendar", calendar }];
  if (names.has(name)) return [];
  const nearest = nearestMatch(name, [...names.keys()]);
  const hint =
    nearest === undefined
      ? `write it into ${name}.thermocline-calendar.yaml beside the policies`
      : `did you mean "${nearest}"?`;
  report({ code: "E0170", message: `there is no calendar "${name}"`, hint });
  return [];
}

/** Ranges that another of the list holds already. */
function reportIdle(
  ranges: readonly TimeRange[],
  report: (index: number, message: string) => void,
): void {
  for (const [index, range] of ranges.entries()) {
    if (range.kind !== "hours") continue;
    const wider = ranges.find(
      (other, at): other is HoursOfDays =>
        at !== index &&
        other.kind === "hours" &&
        coversRange(other, range) &&
        // Of two equal ones the second is idle.
        (at < index || !coversRange(range, other)),
    );
    if (wider === undefined) continue;
    report(index, `the window "${range.text}" adds nothing: "${wider.text}" holds it`);
  }
}
