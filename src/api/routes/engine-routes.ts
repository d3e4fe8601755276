import { z } from "zod";
import type { GarbageRequest } from "#model/garbage.ts";
import type { Shape } from "#model/shape.ts";
import type { Route } from "#api/route.ts";
import { defineRoute } from "#api/route.ts";
import { reference } from "#api/schemas/input.ts";
import { backendSchema } from "#api/schemas/backend-schema.ts";
import { heartbeatSchema, nodeOrdersSchema, nodeStateSchema } from "#api/schemas/node-schema.ts";
import { garbageProgressSchema } from "#api/schemas/garbage-schema.ts";
import { statusSchema } from "#api/schemas/status-schema.ts";

const nothing = z.strictObject({});

/** The engine itself: status, backends, nodes. */
export const engineRoutes: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: "/api/v1/status",
    operation: "status",
    summary: "The engine at a glance",
    input: nothing,
    answer: { kind: "json", schema: statusSchema },
    handle: ({ api }) => api.status(),
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/backends",
    operation: "backends",
    summary: "Backends, each with what its storage answers now",
    input: nothing,
    answer: { kind: "json", schema: z.array(backendSchema) },
    handle: ({ api }) => api.backends(),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/backends/{backend}/cordon",
    operation: "setCordon",
    summary: "Keep new copies away from a backend, or allow them again",
    input: z.strictObject({ backend: reference, cordoned: z.boolean() }),
    answer: { kind: "none" },
    handle: ({ api }, { backend, cordoned }) => api.setCordon(backend, cordoned),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/backends/{backend}/gc",
    operation: "collectGarbage",
    summary: "Have a backend free the room of what no copy needs; answers with progress",
    input: z.strictObject({
      backend: reference,
      dryRun: z.boolean().exactOptional(),
    } satisfies Shape<GarbageRequest>),
    answer: { kind: "ndjson", schema: garbageProgressSchema },
    handle: ({ api }, request) => api.collectGarbage(request),
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/nodes",
    operation: "nodes",
    summary: "Nodes that work, or did",
    input: nothing,
    answer: { kind: "json", schema: z.array(nodeStateSchema) },
    handle: ({ api }) => api.nodes(),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/nodes/heartbeat",
    operation: "heartbeat",
    summary: "A node says that it lives and what it is",
    input: heartbeatSchema,
    answer: { kind: "json", schema: nodeOrdersSchema },
    handle: ({ api }, report) => api.heartbeat(report),
  }),
];
