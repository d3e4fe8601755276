import { z } from "zod";
import type { LeaderState, PublishedIndex } from "#model/leader-state.ts";
import { count, optionalText, shapeOf, time } from "#model/shape.ts";

const publishedSchema = shapeOf<PublishedIndex>({
  directory: z.string(),
  cid: z.string(),
  bytes: count,
  publishedAt: time,
  tookMs: count,
  everyMs: z.number(),
  failure: optionalText,
});

/** Who leads. */
export const leaderSchema = shapeOf<LeaderState>({
  node: z.string(),
  pid: count,
  epoch: count,
  since: time,
  standbys: z.array(z.looseObject({ node: z.string(), pid: count })),
  removalsFrom: time.optional(),
  clockStepMs: z.number().optional(),
  published: publishedSchema.optional(),
});
