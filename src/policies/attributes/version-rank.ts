import type { ObjectAttribute } from "#policies/attribute-definition.ts";
import { numberType } from "#policies/expression/value-type.ts";
import { sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/** Comparisons with more than this count the newer objects one by one. */
const cheapMax = 10_000;

/** Others by whose creation places go: a guess takes no place from what is dated. */
const others = trusted(`FROM object n WHERE n.collection = o.collection AND n.present_mask <> 0
  AND n.guessed IS DISTINCT FROM 'created'`);

/** What nobody dated may be the newest, and counts as such. */
const isUndated = trusted("o.guessed IS NOT DISTINCT FROM 'created'");

const attribute: ObjectAttribute = {
  kind: "attribute",
  name: "version_rank",
  scope: "object",
  type: numberType,
  nullable: true,
  changes: "edits",
  amongObjects: true,
  summary:
    "Place by creation among the objects of its collection that have copies, 1 for the newest; " +
    "equal times share a place, missing when in no collection. What has a time of creation that " +
    "nobody told (inventories) counts as current: 1, beside the newest.",
  example: "version_rank > 3",
  sql: () => sql`CASE WHEN o.collection IS NULL THEN NULL WHEN ${isUndated} THEN 1 ELSE
    (SELECT count(*) + 1 ${others} AND n.created > o.created) END`,
  compare: (_, operator, constant) => {
    switch (operator) {
      case "<=":
        return isAmongNewest(Math.floor(constant));
      case "<":
        return isAmongNewest(Math.ceil(constant) - 1);
      case ">":
        return negated(isAmongNewest(Math.floor(constant)));
      case ">=":
        return negated(isAmongNewest(Math.ceil(constant) - 1));
      default:
        return undefined;
    }
  },
};

/** Not older than the last of so many newest ones: one look-up for each collection. */
function isAmongNewest(count: number): SqlFragment | undefined {
  if (!(count >= 1 && count <= cheapMax)) return undefined;
  const last = sql`(SELECT max(n.created, ${count}::BIGINT)[${count}::BIGINT] ${others})`;
  return sql`CASE WHEN o.collection IS NOT NULL
    THEN ${isUndated} OR coalesce(o.created >= ${last}, true) END`;
}

function negated(condition: SqlFragment | undefined): SqlFragment | undefined {
  return condition && sql`NOT (${condition})`;
}

export default attribute;
