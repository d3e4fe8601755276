import { metaValue } from "#policies/meta-value.ts";
import type { CompiledRule } from "#policies/compiled-policy.ts";
import { maskSql } from "#policies/plan/mask-sql.ts";
import { leaseRules } from "#policies/plan/lease.ts";
import { type PlacedRule, rulesOf } from "#policies/plan/match-words.ts";
import type { Planning } from "#policies/plan/planning.ts";
import type { Quota } from "#policies/removal-bound.ts";
import { joinFragments, sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/**
 * `plan_used`: what each owner (or collection, or value) uses beyond the quota of a rule, as
 * `rule, name, bytes`; only of those whose objects are asked about (`narrowed`, over `object o`).
 */
export async function readUsage(planning: Planning, narrowed?: SqlFragment): Promise<void> {
  const parts = rulesOf(planning.rules, "evict", "demote").flatMap(({ index, verb }) =>
    verb.quota === undefined
      ? []
      : [
          sql`SELECT ${index}::INTEGER AS rule, name, bytes
            FROM (${usedBy(verb.quota, verb.from, narrowed)})`,
        ],
  );
  if (parts.length === 0) return;
  await planning.run(
    sql`CREATE OR REPLACE TEMP TABLE plan_used AS ${joinFragments(parts, " UNION ALL ")}`,
  );
}

/** Whose quota of the rule at this place is exceeded, by `plan_used`. */
export function namesOver(rule: number): SqlFragment {
  return sql`SELECT name FROM plan_used WHERE rule = ${rule}::INTEGER`;
}

/** What each owner (or collection, or value) uses on the backends, if more than its quota. */
export function usedBy({ per, bytes }: Quota, from: bigint, narrowed?: SqlFragment): SqlFragment {
  const name = quotaName(per);
  const asked =
    narrowed === undefined
      ? trusted("")
      : sql`AND name IN (SELECT ${name} FROM object o WHERE true ${narrowed})`;
  return sql`SELECT name, sum(used) AS bytes
    FROM (SELECT ${name} AS name,
      o.size * bit_count(o.present_mask & ${maskSql(from)}) AS used FROM object o)
    WHERE name IS NOT NULL ${asked} GROUP BY name HAVING sum(used) > ${bytes}::BIGINT`;
}

/**
 * For each quota a column of candidates (`q0`, `q1`, …): whether an object `o` counts for one that is
 * exceeded. Left out where only such objects are candidates.
 */
export function quotaColumns(rules: readonly CompiledRule[]): readonly SqlFragment[] {
  if (isOnlyTaker(rules)) return [];
  return rulesOf(rules, "evict", "demote").flatMap(({ index, verb: { quota } }) =>
    quota === undefined
      ? []
      : [
          sql`coalesce(${quotaName(quota.per)} IN (${namesOver(index)}), false)
            AS ${trusted(`q${index}`)}`,
        ],
  );
}

/** Narrows candidates `c` to those that count for an exceeded quota of a rule, if it has one. */
export function countsFor(
  rules: readonly CompiledRule[],
  { index, verb }: PlacedRule<"evict" | "demote">,
): SqlFragment {
  return trusted(verb.quota === undefined || isOnlyTaker(rules) ? "" : `AND c.q${index}`);
}

/** Whether one rule at most makes candidates of objects. */
function isOnlyTaker(rules: readonly CompiledRule[]): boolean {
  return (
    leaseRules(rules).length === 0 && rules.filter(({ verb }) => verb.kind !== "hold").length < 2
  );
}

/** Over `object o`: whose quota it counts for; null when it is nobody's. */
export function quotaName(per: string): SqlFragment {
  if (per === "owner" || per === "collection") return trusted(`o.${per}`);
  return metaValue(per.slice("meta.".length));
}
