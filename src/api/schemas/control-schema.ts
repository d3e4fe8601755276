import { z } from "zod";
import {
  type ActiveStep,
  type ControlReport,
  controlScopes,
  type HoldReport,
  type LeftOutReason,
  leftOutReasons,
  type Pause,
  type RetryReport,
} from "#model/control.ts";
import { planSchema } from "#model/plan-schema.ts";
import { runSchema } from "#api/schemas/run-schema.ts";
import { count, optionalText, shapeOf, time } from "#model/shape.ts";

const reasons = Object.keys(leftOutReasons) as [LeftOutReason, ...LeftOutReason[]];

/** A standing pause. */
export const pauseSchema = shapeOf<Pause>({
  scope: z.enum(controlScopes),
  name: z.string(),
  reason: z.string(),
  actor: z.string(),
  since: time,
  until: time.optional(),
});

/** A job that a worker has. */
export const activeStepSchema = shapeOf<ActiveStep>({
  runId: z.string(),
  batch: count,
  step: z.string(),
  lane: z.string(),
  node: optionalText,
  since: time.optional(),
  lost: z.boolean(),
  done: count,
  total: count,
  bytes: count,
});

/** What an order was about. */
export const controlReportSchema = shapeOf<ControlReport>({
  work: z.object({ runs: count, actions: count, bytes: count, queued: count }),
  cancelled: count,
  inFlight: z.array(activeStepSchema),
  pauses: z.array(pauseSchema),
  notice: z.string().optional(),
});

/** What is tried again. */
export const retryReportSchema = shapeOf<RetryReport>({
  failed: z.object({ actions: count, bytes: count, underWay: count }),
  plan: planSchema,
  leftOut: z.array(z.object({ reason: z.enum(reasons), actions: count })),
  run: runSchema.optional(),
});

/** What a hold of many objects did. */
export const holdReportSchema = shapeOf<HoldReport>({
  objects: count,
  bytes: count,
  changed: count,
});
