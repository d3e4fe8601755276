import { z } from "zod";
import type { Route } from "#api/route.ts";
import type { ApplyRequest } from "#model/engine-api.ts";
import type { Shape } from "#model/shape.ts";
import { verbs } from "#model/plan.ts";
import type { RunControl, StepControl, StepScope } from "#model/run.ts";
import { workStops } from "#model/run.ts";
import { defineRoute } from "#api/route.ts";
import { absolutePath, reference, variableValues } from "#api/schemas/input.ts";
import { planLimitsInput } from "#api/schemas/plan-limits-input.ts";
import { runSchema } from "#api/schemas/run-schema.ts";

const control = z.enum(["run", "pause", "cancel"] satisfies RunControl[]);

const stepScope = z.strictObject({
  runId: reference,
  policy: z.string().max(200),
  verb: z.enum(verbs),
  source: reference.nullable(),
  target: reference.nullable(),
  victim: reference.nullable(),
  node: reference,
} satisfies Shape<StepScope>);

/** Runs: start (apply), watch, pause, resume, cancel. */
export const runRoutes: readonly Route[] = [
  defineRoute({
    method: "POST",
    path: "/api/v1/runs",
    operation: "apply",
    summary: "Apply a plan: the saved one, or what the policies lead to now",
    input: z.strictObject({
      planFile: absolutePath.exactOptional(),
      expectCid: reference.exactOptional(),
      at: z.iso.datetime().exactOptional(),
      override: z.array(reference).max(20).exactOptional(),
      allowSubset: z.boolean().exactOptional(),
      maxObjects: z.int().positive().exactOptional(),
      limits: planLimitsInput.exactOptional(),
      only: z.string().min(1).max(100_000).exactOptional(),
      variables: variableValues.exactOptional(),
    } satisfies Shape<ApplyRequest>),
    answer: { kind: "json", schema: runSchema },
    handle: ({ api }, request) => api.apply(request),
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/runs",
    operation: "runs",
    summary: "All runs",
    input: z.strictObject({}),
    answer: { kind: "json", schema: z.array(runSchema) },
    handle: ({ api }) => api.runs(),
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/runs/{id}",
    operation: "run",
    summary: "One run with its progress",
    input: z.strictObject({ id: reference }),
    answer: { kind: "json", schema: runSchema },
    handle: ({ api }, { id }) => api.run(id),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/runs/{id}/control",
    operation: "controlRun",
    summary: "Pause, resume (run) or cancel a run",
    input: z.strictObject({ id: reference, control }),
    answer: { kind: "json", schema: runSchema },
    handle: ({ api }, input) => api.controlRun(input.id, input.control),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/step-controls",
    operation: "stepControls",
    summary: "What a worker shall do with each of the steps it works on",
    input: z.strictObject({ steps: z.array(stepScope).max(10_000) }),
    answer: {
      kind: "json",
      schema: z.array(
        z.strictObject({
          control,
          reason: z.string().exactOptional(),
          until: z.iso.datetime().exactOptional(),
          stop: z.enum(workStops).exactOptional(),
        } satisfies Shape<StepControl>),
      ),
    },
    handle: ({ api }, { steps }) => api.stepControls(steps),
  }),
];
