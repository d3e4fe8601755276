import { durationField } from "#document/fields.ts";
import type { RunningRule } from "#policies/run-actions/run-action.ts";
import { sql, type SqlFragment } from "#policies/sql-fragment.ts";
import { timestampParameter } from "#policies/timestamp-parameter.ts";

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

/** Of what leaves no trace in the index. */
export const repeatWords = "Again for the same object after so long: 30d. Left out: once.";

/** Over `o`: the rule has not had it done to this object yet, or so long ago that it may again. */
export function isNotDone({ id, verb: { everyMs }, now }: RunningRule): SqlFragment {
  const done = sql`SELECT object_id FROM lease WHERE rule = ${id}`;
  if (everyMs === undefined) return sql`(o.object_id NOT IN (${done}))`;
  const since = timestampParameter(now.getTime() - everyMs);
  return sql`(o.object_id NOT IN (${done} AND since > ${since}))`;
}

/** A setting says how often only where the rule does. */
export function everyOf(everyMs: number | undefined): { readonly everyMs?: number } {
  return everyMs === undefined ? {} : { everyMs };
}
