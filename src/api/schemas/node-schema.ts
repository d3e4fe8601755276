import { z } from "zod";
import type { NodeState } from "#model/engine-api.ts";
import type { Heartbeat, NodeOrders } from "#model/node.ts";
import { metricDefinitions, type MetricName } from "#model/metric.ts";
import { roles } from "#model/node.ts";
import { count, optionalText, shapeOf, time } from "#model/shape.ts";

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
  clockAheadMs: z.number().int().exactOptional(),
};

const labelsMax = 10;
const seriesMax = 20_000;
const metricNames = Object.keys(metricDefinitions) as [MetricName, ...MetricName[]];

const series = z.strictObject({
  name: z.enum(metricNames),
  labels: z
    .record(z.string().max(100), z.string().max(1_000))
    .refine((labels) => Object.keys(labels).length <= labelsMax),
  value: z.union([
    z.number(),
    z.strictObject({ counts: z.array(count).max(100), sum: z.number() }),
  ]),
});

/** What a node says of itself, and what it has measured. */
export const heartbeatSchema = z.strictObject({
  ...report,
  measured: z.array(series).max(seriesMax).exactOptional(),
}) satisfies z.ZodType<Heartbeat>;

/** What a node is told when it reports. */
export const nodeOrdersSchema = shapeOf<NodeOrders>({ at: time, paused: optionalText });

/** A node as the controller sees it. */
export const nodeStateSchema = shapeOf<NodeState>({ ...report, lastSeen: time, up: z.boolean() });
