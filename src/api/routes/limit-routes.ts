import { z } from "zod";
import type { Route } from "#api/route.ts";
import { defineRoute } from "#api/route.ts";
import { reference } from "#api/schemas/input.ts";
import {
  backendShareSchema,
  effectiveLimitsSchema,
  limitOverrideInput,
  shareRequestInput,
} from "#api/schemas/limit-schema.ts";

/** How hard backends may be worked. */
export const limitRoutes: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: "/api/v1/limits",
    operation: "limits",
    summary: "The limits of every backend as they count now, and when they change",
    input: z.strictObject({}),
    answer: { kind: "json", schema: z.array(effectiveLimitsSchema) },
    handle: ({ api }) => api.limits(),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/backends/{backend}/limits",
    operation: "setLimits",
    summary: "Change limits of a backend while it is worked on",
    input: limitOverrideInput,
    answer: { kind: "json", schema: effectiveLimitsSchema },
    handle: ({ api }, override) => api.setLimits(override),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/backends/{backend}/limits/reset",
    operation: "resetLimits",
    summary: "Let the configured limits of a backend count again",
    input: z.strictObject({ backend: reference }),
    answer: { kind: "json", schema: effectiveLimitsSchema },
    handle: ({ api }, { backend }) => api.resetLimits(backend),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/limit-shares",
    operation: "limitShares",
    summary: "A node says what it uses and learns its share of the limits",
    input: shareRequestInput,
    answer: { kind: "json", schema: z.array(backendShareSchema) },
    handle: ({ api }, request) => api.limitShares(request),
  }),
];
