import { durationUnitNames, parseDuration } from "#model/quantity.ts";
import type { ValueFunction } from "#policies/attribute-definition.ts";
import { doubleParameter } from "#policies/double-parameter.ts";
import { durationType, textType } from "#policies/expression/value-type.ts";
import { joinFragments, sql, type SqlFragment } from "#policies/sql-fragment.ts";

const pattern = `([0-9]{1,12}(?:[.][0-9]{1,6})?)(${durationUnitNames.join("|")})`;

const computation: ValueFunction = {
  kind: "computation",
  name: "duration",
  scope: "value",
  type: durationType,
  changes: "edits",
  summary:
    "The duration that a text is: a number and one unit, as in `30d`; missing when it is none.",
  example: "age > duration(meta.lifetime)",
  parameters: [{ name: "text", type: textType }],
  mayBeUnknown: () => true,
  sql: (text = sql`NULL`) => sql`(CASE WHEN regexp_full_match(${text}, ${pattern}::VARCHAR)
    THEN TRY_CAST(${group(text, 1)} AS DOUBLE) * CASE ${group(text, 2)} ${factors} END END)`,
  value: (text = null) =>
    typeof text === "string" && new RegExp(`^(?:${pattern})$`).test(text)
      ? parseDuration(text)
      : null,
};

const factors = joinFragments(
  durationUnitNames.map(
    (unit) => sql`WHEN ${unit}::VARCHAR THEN ${doubleParameter(parseDuration(`1${unit}`))}`,
  ),
  " ",
);

function group(text: SqlFragment, at: number): SqlFragment {
  return sql`regexp_extract(${text}, ${`^(?:${pattern})$`}::VARCHAR, ${at}::INTEGER)`;
}

export default computation;
