import { z } from "zod";
import type { LastFiring, ScheduleStatus, TriggerStatus, UpcomingStart } from "#model/schedule.ts";
import { type Firing, firingOutcomes } from "#model/starter.ts";
import { count, shapeOf, time } from "#model/shape.ts";

const firingFields = {
  occurrence: time,
  at: time,
  outcome: z.enum(firingOutcomes),
  message: z.string().optional(),
  runId: z.string().optional(),
};

/** What became of one start. */
export const firingSchema = shapeOf<Firing>(firingFields);

const lastFiring = shapeOf<LastFiring>({ ...firingFields, run: z.string().optional() }).optional();

/** When a policy starts by itself, and when its actions may run. */
export const scheduleSchema = shapeOf<ScheduleStatus>({
  policy: z.string(),
  zone: z.string(),
  schedule: z.string().optional(),
  overlap: z.string().optional(),
  next: time.optional(),
  last: lastFiring,
  waiting: time.optional(),
  missed: count,
  disabled: z.object({ reason: z.string(), by: z.string(), at: time }).optional(),
  window: shapeOf<NonNullable<ScheduleStatus["window"]>>({
    open: z.boolean(),
    until: time.optional(),
  }).optional(),
  triggers: z.array(
    shapeOf<TriggerStatus>({ name: z.string(), active: z.boolean(), last: lastFiring }),
  ),
});

/** One start to come. */
export const upcomingSchema = shapeOf<UpcomingStart>({
  at: time,
  startsAt: time,
  local: z.string(),
  note: z.string().optional(),
  opensAt: time.optional(),
});
