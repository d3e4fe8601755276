import type { CompiledRule, CompiledPolicySet } from "#policies/compiled-policy.ts";
import { hasWork, isProtective } from "#policies/plan/scan-candidates.ts";
import { joinFragments, sql, type SqlFragment, toPrintedText } from "#policies/sql-fragment.ts";

/**
 * The statement that finds the objects a rule would act on, for people to read and to run with
 * `index query`: its condition, what its verb asks of the copies, and its order. What other rules
 * protect, limits, room at targets, time for which copies are wanted and whole collections are
 * left to the plan. Over the views `object` and `name`.
 */
export function ruleStatement(rule: CompiledRule, { moment }: CompiledPolicySet): string {
  const keys = rule.order.map(({ key, descending }) =>
    descending ? sql`${key} DESC NULLS LAST` : sql`${key} NULLS LAST`,
  );
  const work = rule.verb.kind === "hold" ? sql`true` : hasWork(rule, moment);
  return toPrintedText(sql`SELECT o.object_id, o.cid, o.path, o.size
FROM object o
WHERE ${selects(rule)}
  AND ${work}
ORDER BY ${joinFragments([...keys, sql`o.object_id`], ", ")}`);
}

/** Of several names one is enough for what protects, and all must fit for what does not. */
function selects(rule: CompiledRule): SqlFragment {
  const { where, whereByName } = rule;
  if (whereByName === undefined) return sql`(${where})`;
  const names = sql`SELECT 1 FROM name n WHERE n.object_id = o.object_id`;
  const byName = isProtective(rule)
    ? sql`EXISTS (${names} AND (${whereByName}))`
    : sql`NOT EXISTS (${names} AND NOT (${whereByName}))`;
  return sql`(CASE WHEN o.names > 1 THEN ${byName} ELSE (${where}) END)`;
}
