import { z } from "zod";
import type { Route } from "#api/route.ts";
import { defineRoute } from "#api/route.ts";
import {
  controlReportSchema,
  holdReportSchema,
  pauseSchema,
  retryReportSchema,
} from "#api/schemas/control-schema.ts";
import { reference } from "#api/schemas/input.ts";
import { runSchema } from "#api/schemas/run-schema.ts";
import { whyReportSchema } from "#api/schemas/why-schema.ts";
import type { Shape } from "#model/shape.ts";
import {
  type ControlRequest,
  controlScopes,
  type HoldRequest,
  type RetryRequest,
} from "#model/control.ts";

const expression = z.string().min(1).max(100_000);
const words = z.string().max(4_096);

/** Orders of people about work under way and about many objects at once. */
export const controlRoutes: readonly Route[] = [
  defineRoute({
    method: "POST",
    path: "/api/v1/controls",
    operation: "control",
    summary: "Pause, resume or cancel a run, policy, backend, node, or everything",
    input: z.strictObject({
      verb: z.enum(["pause", "resume", "cancel"]),
      scope: z.enum(controlScopes),
      name: z.string().max(4_096),
      reason: words,
      until: words.exactOptional(),
      where: expression.exactOptional(),
      dryRun: z.boolean().exactOptional(),
    } satisfies Shape<ControlRequest>),
    answer: { kind: "json", schema: controlReportSchema },
    handle: ({ api }, request) => api.control(request),
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/pauses",
    operation: "pauses",
    summary: "Every pause that stands: what, by whom, since when, why, until when",
    input: z.strictObject({}),
    answer: { kind: "json", schema: z.array(pauseSchema) },
    handle: ({ api }) => api.pauses(),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/runs/{id}/priority",
    operation: "setPriority",
    summary: "Serve a run before or after others: higher comes first",
    input: z.strictObject({ id: reference, priority: z.int().min(-1_000).max(1_000) }),
    answer: { kind: "json", schema: runSchema },
    handle: ({ api }, input) => api.setPriority(input.id, input.priority),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/retries",
    operation: "retry",
    summary: "Try failed and cancelled actions again, as a new run of what is still wanted",
    input: z.strictObject({
      run: reference.exactOptional(),
      cause: reference.exactOptional(),
      policy: reference.exactOptional(),
      backend: reference.exactOptional(),
      where: expression.exactOptional(),
      expectCid: reference.exactOptional(),
      at: z.iso.datetime().exactOptional(),
      override: z.array(reference).max(20).exactOptional(),
      dryRun: z.boolean().exactOptional(),
    } satisfies Shape<RetryRequest>),
    answer: { kind: "json", schema: retryReportSchema },
    handle: ({ api }, request) => api.retry(request),
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/why",
    operation: "why",
    summary: "Why a run, an object or a job stands where it stands",
    input: z.strictObject({ reference }),
    answer: { kind: "json", schema: whyReportSchema },
    handle: ({ api }, input) => api.why(input.reference),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/objects/hold",
    operation: "holdObjects",
    summary: "Hold or release every object that an expression selects",
    input: z.strictObject({
      where: expression,
      held: z.boolean(),
      reason: words,
      dryRun: z.boolean().exactOptional(),
    } satisfies Shape<HoldRequest>),
    answer: { kind: "json", schema: holdReportSchema },
    handle: ({ api }, request) => api.holdObjects(request),
  }),
];
