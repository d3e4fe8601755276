import type { ObjectAttribute, SqlContext } from "#policies/attribute-definition.ts";
import { doubleParameter } from "#policies/double-parameter.ts";
import { numberType } from "#policies/expression/value-type.ts";
import { sql, type SqlFragment } from "#policies/sql-fragment.ts";

const attribute: ObjectAttribute = {
  kind: "attribute",
  name: "heat",
  scope: "object",
  type: numberType,
  nullable: false,
  changes: "time",
  summary: "Count of reads that decays by half in each half-life (7 days unless configured).",
  example: "heat >= 2",
  sql: compileHeat,
};

/** Forward decay: weights are stored against the landmark, so one factor brings all to now. */
function compileHeat({ now, heat }: SqlContext): SqlFragment {
  const halfLives = (now.getTime() - heat.landmark.getTime()) / heat.halfLifeMs;
  return sql`(o.heat_weight * ${doubleParameter(2 ** -halfLives)})`;
}

export default attribute;
