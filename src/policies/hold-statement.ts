import type { SqlStatement } from "#model/sql.ts";
import type { CompiledPolicySet } from "#policies/compiled-policy.ts";
import { joinFragments, sql, type SqlFragment, toStatement } from "#policies/sql-fragment.ts";

/**
 * Those of the given objects that a hold rule protects: one column `object_id`. Asked again
 * right before each removal. A rule about names protects when any of an object's names fits.
 */
export function holdStatement(set: CompiledPolicySet, objectIds: readonly number[]): SqlStatement {
  const holds = set.rules.filter((rule) => rule.verb.kind === "hold");
  const conditions = holds.flatMap(({ where, whereByName }): SqlFragment[] =>
    whereByName === undefined
      ? [where]
      : [
          where,
          sql`exists (select 1 from name n where n.object_id = o.object_id and ${whereByName})`,
        ],
  );
  const held = conditions.length === 0 ? sql`false` : joinFragments(conditions, " or ");
  // One text parameter whatever the number of ids: the statement stays the same and small.
  const ids = sql`unnest(string_split(${objectIds.join(",")}::VARCHAR, ',')::BIGINT[])`;
  const wanted = objectIds.length === 0 ? sql`select 0 where false` : sql`select ${ids}`;
  return toStatement(
    sql`select o.object_id from object o where o.object_id in (${wanted}) and (${held})`,
  );
}
