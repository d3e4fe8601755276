import type { EngineContext } from "#engine/context.ts";
import { scheduleStatuses, upcomingStarts } from "#engine/schedules/schedule-status.ts";
import type { Scheduling } from "#engine/schedules/scheduling.ts";
import { acting } from "#model/acting.ts";
import type { EngineApi } from "#model/engine-api.ts";

type SchedulePart = Pick<
  EngineApi,
  "schedules" | "upcomingStarts" | "runSchedule" | "setScheduleEnabled"
>;

/** What starts policies by itself: look at it, start it now, stop it for a while. */
export function schedulePart(context: EngineContext, scheduling: Scheduling): SchedulePart {
  return {
    schedules: () => scheduleStatuses(context),
    upcomingStarts: (policy, count) => upcomingStarts(context, policy, count),
    runSchedule: (policy) => scheduling.scheduler.runNow(policy),
    setScheduleEnabled: (policy, enabled, reason) =>
      scheduling.scheduler.setEnabled(policy, enabled, reason, acting()?.actor ?? "api"),
  };
}
