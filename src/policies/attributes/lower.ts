import type { ValueFunction } from "#policies/attribute-definition.ts";
import { textType } from "#policies/expression/value-type.ts";
import { sql } from "#policies/sql-fragment.ts";

const computation: ValueFunction = {
  kind: "computation",
  name: "lower",
  scope: "value",
  type: textType,
  changes: "edits",
  summary: "A text in small letters, for comparisons that do not heed case.",
  example: 'lower(name) = "readme.txt"',
  parameters: [{ name: "text", type: textType }],
  mayBeUnknown: ([text = true]) => text,
  sql: (text = sql`NULL`) => sql`lower(${text})`,
  value: (text = null) => (typeof text === "string" ? text.toLowerCase() : null),
};

export default computation;
