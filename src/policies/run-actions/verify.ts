import { z } from "zod";
import { maskSql } from "#policies/plan/mask-sql.ts";
import { everyField, everyOf } from "#policies/run-actions/every-field.ts";
import type { RunActionDefinition } from "#policies/run-actions/run-action.ts";
import { sql, trusted } from "#policies/sql-fragment.ts";
import { timestampParameter } from "#policies/timestamp-parameter.ts";

const schema = z
  .strictObject({
    on: z
      .union([z.string().min(1), z.boolean()])
      .transform(String)
      .describe("Whose copies: a condition over backend attributes; all of them unless said.")
      .optional(),
    every: everyField(
      "Again when a copy was not fully checked for so long: 90d. Left out: only copies that " +
        "never were.",
    ),
  })
  .describe("Has backends read copies again and check them against the CID of the object.")
  .transform(({ every }) => ({ order: { action: "verify" } as const, ...everyOf(every) }));

const verify: RunActionDefinition<{ readonly action: "verify" }, z.input<typeof schema>> = {
  name: "verify",
  schema,
  example: "run: { verify: { on: tier >= cold, every: 90d } }",
  words: () => "a copy of it was not fully checked of late",
  wants: ({ verb: { on, everyMs }, now }) => {
    const never = sql`((o.present_mask & ~o.verified_mask) & ${maskSql(on)}) <> 0`;
    if (everyMs === undefined) return never;
    // Which copy it is, the plan asks once there are few objects left.
    const old = sql`o.oldest_verified <= ${timestampParameter(now.getTime() - everyMs)}`;
    const some = sql`(o.verified_mask & ${maskSql(on)}) <> 0`;
    return sql`(${never} OR (${some} AND coalesce(${old}, ${trusted("false")})))`;
  },
};

export default verify;
