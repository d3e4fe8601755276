import type { ValueFunction } from "#policies/attribute-definition.ts";
import { instantPattern, parseInstant } from "#policies/expression/instant.ts";
import { textType, timestampType } from "#policies/expression/value-type.ts";
import { sql } from "#policies/sql-fragment.ts";

const computation: ValueFunction = {
  kind: "computation",
  name: "timestamp",
  scope: "value",
  type: timestampType,
  changes: "edits",
  summary:
    "The point in time that a text is: `2026-01-31`, or `2026-01-31T18:30:00Z`; in UTC unless it " +
    "says otherwise, missing when it is none.",
  example: "timestamp(meta.expires) < now",
  parameters: [{ name: "text", type: textType }],
  mayBeUnknown: () => true,
  sql: (text = sql`NULL`) => sql`(CASE WHEN regexp_full_match(${text}, ${instantPattern}::VARCHAR)
    THEN TRY_CAST(${text} AS TIMESTAMP) END)`,
  value: (text = null) =>
    typeof text === "string" && new RegExp(`^(?:${instantPattern})$`).test(text)
      ? (parseInstant(text) ?? null)
      : null,
};

export default computation;
