import { CronExpressionParser } from "cron-parser";
import { formatDuration } from "#model/quantity.ts";
import { localTimeAt, momentsOf, offsetMs } from "#policies/timing/local-time.ts";
import type { Schedule } from "#policies/timing/schedule.ts";

/** What changes of the clocks do to an occurrence, given the one before it. */
export function clockNote(
  { timing, zone }: Schedule,
  occurrence: Date,
  before: Date,
): string | undefined {
  if (timing.kind !== "cron") return undefined;
  const at = occurrence.getTime();
  const local = localTimeAt(at, zone);
  const { minute, hour } = CronExpressionParser.parse(timing.pattern, { tz: zone }).fields;
  const isPlanned =
    (hour.values as readonly number[]).includes(Math.floor(local.minute / 60)) &&
    (minute.values as readonly number[]).includes(local.minute % 60);
  if (!isPlanned) return "the clocks skip its time that day";
  if (momentsOf(at + offsetMs(at, zone), zone).length > 1) return "this hour comes twice that day";
  const change = offsetMs(at, zone) - offsetMs(before.getTime(), zone);
  if (change === 0) return undefined;
  const way = change > 0 ? "forward" : "back";
  return `the clocks went ${way} ${formatDuration(Math.abs(change))} since the start before`;
}
