import { z } from "zod";
import { durationField, sizeField } from "#document/fields.ts";

const percent = z.string().regex(/^\d+(\.\d+)?%$/, { error: "a percentage: 85%" });
const count = z.union([z.int().nonnegative(), z.string().regex(/^\d+(\.\d+)?[kM]?$/)]);

/**
 * Keys of a policy that say when and within what bounds it runs. They are checked here; those
 * that the engine does not act on yet are in `unsupported-settings.ts`, which warns.
 */
export const settingFields = {
  schedule: z
    .strictObject({
      cron: z.string().describe("Five fields: minute hour day month weekday."),
      timezone: z.string().default("UTC").describe("IANA name, such as Europe/Berlin."),
      jitter: durationField.optional(),
      catchUp: durationField.optional(),
      overlap: z.enum(["skip", "queue"]).default("skip"),
    })
    .optional()
    .describe("When the policy is evaluated."),
  triggers: z
    .array(
      z.union([
        z.strictObject({
          usage: z.strictObject({ backend: z.string(), above: percent, until: percent }),
        }),
        z.strictObject({ event: z.enum(["copy-lost", "object-added", "backend-added"]) }),
      ]),
    )
    .optional()
    .describe("What makes it run besides the schedule."),
  windows: z
    .strictObject({
      allow: z.array(z.string()).optional(),
      deny: z.array(z.union([z.string(), z.strictObject({ calendar: z.string() })])).optional(),
      onClose: z.enum(["checkpoint", "finish"]).default("checkpoint"),
    })
    .optional()
    .describe("When its actions may run."),
  limits: z
    .strictObject({
      objects: z.union([count, percent]).optional(),
      bytes: sizeField.optional(),
      rate: z.string().optional(),
      bandwidth: z.string().optional(),
      cost: z.string().optional(),
    })
    .optional()
    .describe("The most that one plan of this policy does."),
  approval: z
    .strictObject({
      when: z.string(),
      from: z.string().optional(),
      ttl: durationField.optional(),
    })
    .optional()
    .describe("Which plans a person must approve."),
  onError: z
    .strictObject({
      suspendAt: percent.optional(),
      minimum: z.int().positive().optional(),
      quarantineAfter: z.int().positive().optional(),
    })
    .optional()
    .describe("When failures stop the policy."),
};
