import type { ValueFunction } from "#policies/attribute-definition.ts";
import { timestampType } from "#policies/expression/value-type.ts";
import { sql } from "#policies/sql-fragment.ts";

const dayMs = 86_400_000;

const computation: ValueFunction = {
  kind: "computation",
  name: "midnight",
  scope: "value",
  type: timestampType,
  changes: "never",
  summary:
    "The beginning of the day (UTC) of a point in time: " +
    "`midnight(now) - midnight(created) > 30d` counts days as calendars do.",
  example: "midnight(now) - midnight(created) > 30d",
  parameters: [{ name: "time", type: timestampType }],
  mayBeUnknown: ([time = true]) => time,
  sql: (time = sql`NULL`) => sql`date_trunc('day', ${time})`,
  value: (time = null) => (typeof time === "number" ? Math.floor(time / dayMs) * dayMs : null),
};

export default computation;
