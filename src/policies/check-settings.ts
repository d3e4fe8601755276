import { CronExpressionParser } from "cron-parser";
import { nearestMatch } from "#document/nearest-match.ts";
import type { DocumentPath, DocumentPlaces, Finding } from "#document/document-places.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import { parseExpression } from "#policies/expression/parse-expression.ts";
import type { PolicyDocument } from "#policies/policy-schema.ts";

/** Checks what the schema cannot: cron, time zones, percentages, windows, approval. */
export function checkSettings(
  document: PolicyDocument,
  places: DocumentPlaces,
): readonly Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  const report = (path: DocumentPath, finding: Finding): void => {
    diagnostics.push(places.diagnostic(places.value(path), finding));
  };
  checkSchedule(document, report);
  for (const [position, trigger] of (document.triggers ?? []).entries()) {
    if (!("usage" in trigger)) continue;
    const { above, until } = trigger.usage;
    if (Number.parseFloat(until) < Number.parseFloat(above)) continue;
    report(["triggers", position, "usage", "until"], {
      code: "E0166",
      message: `the low mark ${until} is not below the high mark ${above}`,
      hint: "until: is where the work stops, such as above: 85%, until: 75%",
    });
  }
  const windows = [
    ...(document.windows?.allow ?? []).map((text, at) => ["allow", text, at] as const),
    ...(document.windows?.deny ?? []).map((text, at) => ["deny", text, at] as const),
  ];
  for (const [key, text, at] of windows) {
    if (typeof text !== "string" || windowPattern.test(text)) continue;
    const hint = 'write "22:00-06:00", "Sat-Sun 00:00-24:00" or "Mon,Wed 08:00-12:00"';
    report(["windows", key, at], { code: "E0166", message: `"${text}" is no window`, hint });
  }
  const when = document.approval?.when;
  if (when !== undefined) {
    parseExpression(when, ({ code, span, message, hint }) => {
      const range = places.within(["approval", "when"], span.start, span.end);
      diagnostics.push(places.diagnostic(range, { code, message, hint }));
    });
  }
  return diagnostics;
}

const day = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)";
const time = "(?:[01]\\d|2[0-4]):[0-5]\\d";
const windowPattern = new RegExp(
  `^(?:${day}(?:-${day})?(?:,${day}(?:-${day})?)*\\s+)?${time}-${time}$`,
);

function checkSchedule(
  { schedule }: PolicyDocument,
  report: (path: DocumentPath, finding: Finding) => void,
): void {
  if (schedule === undefined) return;
  const zones = Intl.supportedValuesOf("timeZone");
  const zone = schedule.timezone;
  const isKnown = isTimeZone(zone);
  if (!isKnown) {
    const nearest = nearestMatch(zone, zones);
    const hint =
      nearest === undefined ? "write an IANA name: Europe/Berlin" : `did you mean "${nearest}"?`;
    const message = `there is no time zone "${zone}"`;
    report(["schedule", "timezone"], { code: "E0166", message, hint });
  }
  const fields = schedule.cron.trim().split(/\s+/).length;
  try {
    if (fields !== 5) throw new RangeError(`found ${fields} fields`);
    CronExpressionParser.parse(schedule.cron, { tz: isKnown ? zone : "UTC" });
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    report(["schedule", "cron"], {
      code: "E0166",
      message: `"${schedule.cron}" is no schedule: ${reason}`,
      hint: 'five fields, minute hour day month weekday: "0 2 * * *" is daily at two',
    });
  }
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).format(0) !== "";
  } catch {
    return false;
  }
}
