import { z } from "zod";
import { verbs } from "#model/plan.ts";
import type { HeldWork, Wait, WaitReason, Work } from "#model/wait.ts";
import { workStops } from "#model/run.ts";
import { waitReasons } from "#model/wait.ts";
import { count, shapeOf, time } from "#model/shape.ts";

const reasons = Object.keys(waitReasons) as [WaitReason, ...WaitReason[]];

/** Why something waits. */
export const waitSchema = shapeOf<Wait>({
  reason: z.enum(reasons),
  message: z.string(),
  until: time.optional(),
  stop: z.enum(workStops).optional(),
  remedy: z.string().optional(),
});

/** Work that may be held back. */
export const workSchema = shapeOf<Work>({
  runId: z.string(),
  policy: z.string(),
  verb: z.enum(verbs),
  source: z.string().nullable(),
  target: z.string().nullable(),
  victim: z.string().nullable(),
  lane: z.string(),
  node: z.string().optional(),
});

/** Work that is held back. */
export const heldWorkSchema = shapeOf<HeldWork>({
  work: workSchema,
  wait: waitSchema,
  since: time,
  batches: count,
});
