import { z } from "zod";
import { type ActionStanding, actionStates, type WaitingWork, type WhyReport } from "#model/why.ts";
import { activeStepSchema } from "#api/schemas/control-schema.ts";
import { count, shapeOf, time } from "#model/shape.ts";
import { waitSchema, workSchema } from "#api/schemas/wait-schema.ts";

const place = z.string().nullable();

/** Why something stands where it stands. */
export const whyReportSchema = shapeOf<WhyReport>({
  about: z.enum(["run", "object", "job"]),
  subject: z.string(),
  waiting: z.array(
    shapeOf<WaitingWork>({
      work: workSchema,
      wait: waitSchema,
      since: time.optional(),
      batches: count,
      actions: count,
      bytes: count,
    }),
  ),
  active: z.array(activeStepSchema),
  actions: z.array(
    shapeOf<ActionStanding>({
      runId: z.string(),
      sequence: count,
      batch: count.optional(),
      verb: z.string(),
      rule: z.string(),
      source: place,
      target: place,
      victim: place,
      state: z.enum(actionStates),
      message: z.string(),
    }),
  ),
  facts: z.array(z.string()),
  looked: z.array(z.string()),
});
