import { z } from "zod";
import { backendStates, type BackendHealth } from "#model/backend-health.ts";
import type { EngineTrouble } from "#model/engine-api.ts";
import {
  type Failure,
  type FailureCause,
  type FailureReport,
  failureSteps,
  type Repair,
  type Suspension,
} from "#model/failure.ts";
import { verbs } from "#model/plan.ts";
import { count, optionalText, shapeOf, time } from "#model/shape.ts";

const failureSchema = shapeOf<Failure>({
  cid: z.string(),
  path: optionalText,
  size: count,
  run: z.string(),
  sequence: count,
  verb: z.enum(verbs),
  rule: z.string(),
  step: z.enum(failureSteps),
  backend: optionalText,
  code: z.string(),
  message: z.string(),
  output: optionalText,
  failures: count,
  firstAt: time,
  lastAt: time,
  quarantinedAt: time.optional(),
});

/** Failures by cause, and a page of them. */
export const failureReportSchema = shapeOf<FailureReport>({
  total: count,
  causes: z.array(
    shapeOf<FailureCause>({
      code: z.string(),
      count,
      example: z.string(),
      output: optionalText,
      remedy: z.string(),
    }),
  ),
  failures: z.array(failureSchema),
});

/** A policy that was stopped. */
export const suspensionSchema = shapeOf<Suspension>({
  policy: z.string(),
  since: time,
  failed: count,
  outcomes: count,
  message: z.string(),
});

/** A copy that is not made good yet. */
export const repairSchema = shapeOf<Repair>({
  objectId: count,
  cid: z.string(),
  path: optionalText,
  backend: z.string(),
  found: z.enum(["lost", "corrupt"]),
  openedAt: time,
  run: optionalText,
  tries: count,
  copies: count,
  message: optionalText,
});

/** How a backend is. */
export const backendHealthSchema = shapeOf<BackendHealth>({
  backend: z.string(),
  state: z.enum(backendStates),
  since: time,
  message: optionalText,
  nextProbe: time.optional(),
});

/** What is wrong at the moment. */
export const troubleSchema = shapeOf<EngineTrouble>({
  failing: count,
  quarantined: count,
  suspended: z.array(suspensionSchema),
  repairs: count,
  lost: count,
  backends: z.array(backendHealthSchema),
});
