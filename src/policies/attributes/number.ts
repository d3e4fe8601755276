import type { ValueFunction } from "#policies/attribute-definition.ts";
import { numberType, textType } from "#policies/expression/value-type.ts";
import { sql } from "#policies/sql-fragment.ts";

/** What both sides take for a number: no exponent, no infinity, no white space. */
const pattern = "[+-]?[0-9]{1,15}([.][0-9]{1,15})?";

const computation: ValueFunction = {
  kind: "computation",
  name: "number",
  scope: "value",
  type: numberType,
  changes: "edits",
  summary: "The number that a text is, such as `3` or `-0.5`; missing when it is none.",
  example: "number(meta.level) >= 3",
  parameters: [{ name: "text", type: textType }],
  mayBeUnknown: () => true,
  sql: (text = sql`NULL`) => sql`(CASE WHEN regexp_full_match(${text}, ${pattern}::VARCHAR)
    THEN TRY_CAST(${text} AS DOUBLE) END)`,
  value: (text = null) =>
    typeof text === "string" && new RegExp(`^(?:${pattern})$`).test(text) ? Number(text) : null,
};

export default computation;
