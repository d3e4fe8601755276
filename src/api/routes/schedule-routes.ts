import { z } from "zod";
import type { Route } from "#api/route.ts";
import { defineRoute } from "#api/route.ts";
import { reference } from "#api/schemas/input.ts";
import { firingSchema, scheduleSchema, upcomingSchema } from "#api/schemas/schedule-schema.ts";

/** What starts policies by itself: look at it, start it now, stop it for a while. */
export const scheduleRoutes: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: "/api/v1/schedules",
    operation: "schedules",
    summary: "Schedules, triggers and windows of all policies",
    input: z.strictObject({}),
    answer: { kind: "json", schema: z.array(scheduleSchema) },
    handle: ({ api }) => api.schedules(),
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/schedules/{policy}/next",
    operation: "upcomingStarts",
    summary: "The next starts of a policy, with changes of the clocks and windows",
    input: z.strictObject({
      policy: reference,
      count: z.coerce.number().int().min(1).max(1_000).default(10),
    }),
    answer: { kind: "json", schema: z.array(upcomingSchema) },
    handle: ({ api }, { policy, count }) => api.upcomingStarts(policy, count),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/schedules/{policy}/run",
    operation: "runSchedule",
    summary: "Start a policy now, besides its schedule",
    input: z.strictObject({ policy: reference }),
    answer: { kind: "json", schema: firingSchema },
    handle: ({ api }, { policy }) => api.runSchedule(policy),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/schedules/{policy}/enabled",
    operation: "setScheduleEnabled",
    summary: "Disable a schedule for a while, or enable it again",
    input: z.strictObject({
      policy: reference,
      enabled: z.boolean(),
      reason: z.string().min(1).max(1_000),
    }),
    answer: { kind: "none" },
    handle: ({ api }, { policy, enabled, reason }) =>
      api.setScheduleEnabled(policy, enabled, reason),
  }),
];
