import { z } from "zod";
import { durationField, parsedField, sizeField } from "#document/fields.ts";
import { triggerEvents } from "#model/engine-event.ts";
import { parseBandwidth } from "#model/bandwidth.ts";
import { parseRequestRate } from "#model/request-rate.ts";
import { parseObjectsLimit } from "#model/plan-limits.ts";
import { costLimitForm, parseCostLimit } from "#model/cost-limit.ts";
import { overlaps } from "#policies/timing/schedule.ts";
import { closings } from "#policies/timing/windows.ts";

const horizonMaxMs = 100 * 365 * 86_400_000;
const percent = z.string().regex(/^\d+(\.\d+)?%$/, { error: "a percentage: 85%" });
const limitFields = {
  objects: parsedField(
    z.number().nonnegative(),
    parseObjectsLimit,
    "Objects that it acts on: 1000, 100k, or 5% of all objects.",
  ).optional(),
  bytes: sizeField.describe("Bytes; each action counts with the size of its object.").optional(),
  cost: parsedField(z.number().nonnegative(), parseCostLimit, costLimitForm).optional(),
};
const triggerLimits = z
  .strictObject(limitFields)
  .optional()
  .describe("The most that one plan does that this trigger starts; the smallest limit wins.");
const timezoneField = z.string().describe("IANA name, such as Europe/Berlin; UTC unless said.");
const timeRange = z.union([
  z.string(),
  z.strictObject({ calendar: z.string().describe("The days of a calendar, by its name.") }),
]);

/** Keys of a policy that say when and within what bounds it runs. */
export const settingFields = {
  schedule: z
    .strictObject({
      cron: z.string().describe("Five fields: minute hour day month weekday.").optional(),
      every: durationField.describe("At the multiples of this time: 15m, 6h.").optional(),
      at: z.string().describe("Once, at this local time: 2026-12-01T02:00.").optional(),
      timezone: timezoneField.optional(),
      jitter: durationField
        .describe("Each run is put off by up to this long, to spread load.")
        .optional(),
      catchUp: durationField
        .describe("A run that was missed starts late within this time.")
        .optional(),
      overlap: z
        .enum(overlaps)
        .default("skip")
        .describe("What a run does while the one before it is under way."),
    })
    .optional()
    .describe("When the policy is evaluated and applied: one of cron, every, at."),
  triggers: z
    .array(
      z.union([
        z.strictObject({
          usage: z
            .strictObject({ backend: z.string(), above: percent, until: percent })
            .describe("Runs when the backend fills up to `above`, until it is down to `until`."),
          limits: triggerLimits,
        }),
        z.strictObject({
          event: z.enum(triggerEvents).describe("Runs soon after this happened."),
          limits: triggerLimits,
        }),
      ]),
    )
    .optional()
    .describe("What makes it run besides the schedule."),
  windows: z
    .strictObject({
      allow: z
        .array(timeRange)
        .optional()
        .describe('Times at which actions may run: "Mon-Fri 22:00-06:00". Always, if not said.'),
      deny: z
        .array(timeRange)
        .optional()
        .describe("Times at which they may not, whatever is allowed."),
      timezone: timezoneField.optional(),
      onClose: z
        .enum(closings)
        .default("checkpoint")
        .describe("What is under way stops where it is, after its object, or goes on."),
    })
    .optional()
    .describe("When its actions may run."),
  limits: z
    .strictObject({
      ...limitFields,
      rate: parsedField(
        z.number(),
        parseRequestRate,
        "Actions that may begin per time: 200/min, 5/s, or off.",
      ).optional(),
      bandwidth: parsedField(
        z.number(),
        parseBandwidth,
        "Bytes per second, at all times or by timetable: 20M, 08:00,20M 19:00,off.",
      ).optional(),
    })
    .optional()
    .describe("The most that one plan of this policy does, and how fast its actions may begin."),
  horizon: durationField
    .refine(
      (ms) => ms > 0 && ms <= horizonMaxMs,
      "a horizon is more than nothing and at most 100 years: 365d",
    )
    .describe("Copies are moved or given up only where that saves what it costs in this time: 1y.")
    .optional(),
  approval: z
    .strictObject({
      when: z
        .string()
        .describe("A condition over what the policy does in a plan: bytes > 10TiB or deletes > 0."),
      from: z
        .string()
        .regex(/^(role|user) \S+$/, { error: "role NAME (of the configuration) or user NAME" })
        .describe("Who may approve: role NAME, or user NAME; anybody, if not said.")
        .optional(),
      ttl: durationField
        .describe("How long a plan waits, and how long an approval holds; 3d if not said.")
        .optional(),
      preventSelfApproval: z
        .boolean()
        .default(false)
        .describe("Whoever applied the plan may not approve it."),
    })
    .optional()
    .describe("Which plans a person must approve."),
  onError: z
    .strictObject({
      suspendAt: percent
        .optional()
        .describe("Share of failures at which the policy is suspended. Never, if not said."),
      minimum: z
        .int()
        .positive()
        .max(1_000_000)
        .optional()
        .describe("The share is that of at least so many newest outcomes; 50 if not said."),
      quarantineAfter: z
        .int()
        .positive()
        .optional()
        .describe("An object is left out after failing so often for one cause; 3 if not said."),
    })
    .optional()
    .describe("When failures stop the policy."),
};
