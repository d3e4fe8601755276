import type { ObjectAttribute, SqlContext } from "#policies/attribute-definition.ts";
import { doubleParameter } from "#policies/double-parameter.ts";
import { compareNumbers } from "#policies/expression/compare-numbers.ts";
import type { ComparisonOperator } from "#policies/expression/syntax.ts";
import { numberType } from "#policies/expression/value-type.ts";
import { leastDouble } from "#policies/least-double.ts";
import { sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

const attribute: ObjectAttribute = {
  kind: "attribute",
  name: "heat",
  scope: "object",
  type: numberType,
  nullable: false,
  changes: "time",
  summary: "Count of reads that decays by half in each half-life (7 days unless configured).",
  example: "heat >= 2",
  sql: (context) => sql`(o.heat_weight * ${doubleParameter(decay(context))})`,
  compare: compareHeat,
};

/** Forward decay: weights are stored against the landmark, so one factor brings all to now. */
function decay({ now, heat }: SqlContext): number {
  const halfLives = (now.getTime() - heat.landmark.getTime()) / heat.halfLifeMs;
  return 2 ** -halfLives;
}

/**
 * Compares the stored weight, so that the database can skip whole ranges of rows by their minimum
 * and maximum. Products do not fall as weights grow, rounded as they are: there is a least weight
 * from which on they reach the constant, or exceed it, and weights have to be compared with it alone.
 */
function compareHeat(
  context: SqlContext,
  operator: ComparisonOperator,
  constant: number,
): SqlFragment | undefined {
  const factor = decay(context);
  if (!(factor > 0 && Number.isFinite(factor)) || !Number.isFinite(constant)) return undefined;
  if (operator === "=" || operator === "!=") return undefined;
  const reaches = operator === "<" || operator === ">=" ? ">=" : ">";
  const least = leastDouble((weight) => compareNumbers(weight * factor, reaches, constant));
  const side = operator === "<" || operator === "<=" ? "<" : ">=";
  return sql`(o.heat_weight ${trusted(side)} ${doubleParameter(least)})`;
}

export default attribute;
