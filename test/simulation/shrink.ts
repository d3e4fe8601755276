import type { FaultKind } from "./faults.ts";
import { runSchedule, type ScheduleOptions, type ScheduleResult } from "./run-schedule.ts";

/**
 * Looks for the fewest kinds of fault with which a schedule still breaks a promise: leaves out
 * one after the other and keeps what stays broken.
 */
export async function shrink(
  options: ScheduleOptions,
  broken: ScheduleResult,
): Promise<{ readonly without: readonly FaultKind[]; readonly result: ScheduleResult }> {
  const without = new Set<FaultKind>(options.without);
  let result = broken;
  for (const kind of broken.enabled) {
    const fewer = await runSchedule({ ...options, without: new Set([...without, kind]) });
    if (fewer.violations.length === 0) continue;
    without.add(kind);
    result = fewer;
  }
  return { without: [...without], result };
}
