import { z } from "zod";
import type { EngineStatus } from "#model/engine-api.ts";
import { tiers } from "#model/copy.ts";
import { troubleSchema } from "#api/schemas/failure-schema.ts";
import { leaderSchema } from "#api/schemas/leader-schema.ts";
import { nodeStateSchema } from "#api/schemas/node-schema.ts";
import { runSchema } from "#api/schemas/run-schema.ts";
import { heldWorkSchema } from "#api/schemas/wait-schema.ts";
import { count, shapeOf, time } from "#model/shape.ts";

/** The engine at a glance. */
export const statusSchema = shapeOf<EngineStatus>({
  version: z.string(),
  dataDirectory: z.string(),
  queue: z.string(),
  startedAt: time,
  leader: leaderSchema.optional(),
  objects: count,
  copies: count,
  bytes: count,
  belowMinimum: count,
  backends: z.array(
    z.looseObject({ name: z.string(), tier: z.enum(tiers), copies: count, bytes: count }),
  ),
  runs: z.array(runSchema),
  held: z.array(heldWorkSchema),
  trouble: troubleSchema,
  nodes: z.array(nodeStateSchema),
});
