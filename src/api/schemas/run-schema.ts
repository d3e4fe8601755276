import { z } from "zod";
import type { Run, RunProgress } from "#model/run.ts";
import { runStates } from "#model/run.ts";
import { count, shapeOf, time } from "#model/shape.ts";

const progressSchema = shapeOf<RunProgress>({
  actions: count,
  done: count,
  skipped: count,
  failed: count,
  cancelled: count,
  remaining: count,
  bytes: count,
  bytesDone: count,
  causes: z.array(z.object({ code: z.string(), count, example: z.string() })),
});

/** One execution of a plan. */
export const runSchema = shapeOf<Run>({
  id: z.string(),
  planCid: z.string(),
  state: z.enum(runStates),
  priority: z.int(),
  origin: z.string(),
  createdAt: time,
  endedAt: time.optional(),
  progress: progressSchema,
});
