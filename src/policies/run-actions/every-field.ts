import { durationField } from "#document/fields.ts";

/** After how long an action is wanted again. */
export function everyField(about: string) {
  return durationField
    .refine((ms) => ms > 0, {
      error: "every: is a time longer than none",
      params: { hint: "write how long: 30d" },
    })
    .describe(about)
    .optional();
}

/** A setting says how often only where the rule does. */
export function everyOf(everyMs: number | undefined): { readonly everyMs?: number } {
  return everyMs === undefined ? {} : { everyMs };
}
