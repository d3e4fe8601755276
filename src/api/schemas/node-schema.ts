import { z } from "zod";
import type { NodeState } from "#model/engine-api.ts";
import type { NodeReport } from "#model/node.ts";
import { roles } from "#model/node.ts";
import { count, shapeOf, time } from "#api/schemas/shape.ts";

const name = z.string().min(1).max(200);

const report = {
  name,
  roles: z.array(z.enum(roles)).max(roles.length),
  labels: z.record(z.string().max(200), z.string().max(1_000)),
  architecture: name,
  platform: name,
  version: name,
  pid: count,
  backends: z.array(name).max(100),
  startedAt: time,
};

/** What a node says of itself. */
export const nodeReportSchema = z.strictObject(report) satisfies z.ZodType<NodeReport>;

/** A node as the controller sees it. */
export const nodeStateSchema = shapeOf<NodeState>({ ...report, lastSeen: time, up: z.boolean() });
