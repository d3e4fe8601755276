import { z } from "zod";
import type { GarbageProgress } from "#model/garbage.ts";
import { count, shapeOf } from "#model/shape.ts";

/** One line of the progress of a garbage collection. */
export const garbageProgressSchema = shapeOf<GarbageProgress>({
  type: z.enum(["progress", "summary"]),
  blocks: count,
  blocksBefore: count.optional(),
  usedBytesBefore: count.optional(),
  usedBytes: count.optional(),
  totalBytes: count.optional(),
  nodes: z.array(z.strictObject({ name: z.string(), blocks: count })).optional(),
  elapsedMs: count,
});
