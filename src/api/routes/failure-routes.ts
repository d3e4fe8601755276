import { z } from "zod";
import type { Route } from "#api/route.ts";
import { defineRoute } from "#api/route.ts";
import { queryNumber, reference } from "#api/schemas/input.ts";
import {
  failureReportSchema,
  repairSchema,
  suspensionSchema,
} from "#api/schemas/failure-schema.ts";
import { count, type Shape } from "#model/shape.ts";
import type { OutageReport } from "#model/backend-health.ts";
import { type ErrorCode, errorCodes } from "#model/engine-error.ts";
import type { FailureFilter } from "#model/failure.ts";

const pageMax = 10_000;
const codes = Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]];
const reason = z.string().min(1).max(4_096);

const filter = {
  run: reference.exactOptional(),
  policy: reference.exactOptional(),
  backend: reference.exactOptional(),
  cause: reference.exactOptional(),
  object: reference.exactOptional(),
  where: z.string().max(100_000).exactOptional(),
} satisfies Shape<FailureFilter>;

/** Failures: look at them, end quarantines and suspensions, see repairs, report outages. */
export const failureRoutes: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: "/api/v1/failures",
    operation: "failures",
    summary: "What failed and did not succeed since, by cause",
    input: z.strictObject({
      ...filter,
      quarantined: z.stringbool().exactOptional(),
      offset: queryNumber.default(0),
      limit: queryNumber.pipe(z.number().max(pageMax)).default(100),
    }),
    answer: { kind: "json", schema: failureReportSchema },
    handle: ({ api }, request) => api.failures(request),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/quarantine/release",
    operation: "releaseQuarantine",
    summary: "Let plans try again what failed too often",
    input: z.strictObject({ filter: z.strictObject(filter), reason }),
    answer: { kind: "json", schema: z.object({ released: count }) },
    handle: ({ api }, input) => api.releaseQuarantine(input.filter, input.reason),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/failures/dismiss",
    operation: "dismissFailures",
    summary: "Take failures off the list that nobody wants or will mend",
    input: z.strictObject({ filter: z.strictObject(filter), reason }),
    answer: { kind: "json", schema: z.object({ dismissed: count }) },
    handle: ({ api }, input) => api.dismissFailures(input.filter, input.reason),
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/suspensions",
    operation: "suspensions",
    summary: "Policies that were stopped because too much of what they did failed",
    input: z.strictObject({}),
    answer: { kind: "json", schema: z.array(suspensionSchema) },
    handle: ({ api }) => api.suspensions(),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/suspensions/release",
    operation: "releaseSuspension",
    summary: "Let a suspended policy go on; its outcomes are counted anew",
    input: z.strictObject({ policy: reference, reason }),
    answer: { kind: "none" },
    handle: ({ api }, { policy, reason }) => api.releaseSuspension(policy, reason),
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/repairs",
    operation: "repairs",
    summary: "Copies that checks found absent or corrupt and that are not made good yet",
    input: z.strictObject({ limit: queryNumber.pipe(z.number().max(pageMax)).default(100) }),
    answer: { kind: "json", schema: z.array(repairSchema) },
    handle: ({ api }, { limit }) => api.repairs(limit),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/outages",
    operation: "reportOutage",
    summary: "A worker tells that a whole backend stopped its step",
    input: z.strictObject({
      backend: reference,
      node: reference,
      code: z.enum(codes),
      message: z.string().max(10_000),
      bytes: count.exactOptional(),
    } satisfies Shape<OutageReport>),
    answer: { kind: "none" },
    handle: ({ api }, report) => api.reportOutage(report),
  }),
];
