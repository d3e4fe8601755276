import type { CompiledRule } from "#policies/compiled-policy.ts";
import { maskSql } from "#policies/plan/mask-sql.ts";
import { rulesOf } from "#policies/plan/match-words.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { joinFragments, sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/** A rule whose copies are wanted for a time only (`for: 24h`). */
export interface LeaseRule {
  readonly index: number;
  readonly rule: CompiledRule;
  /** Where it puts copies. */
  readonly on: bigint;
  readonly forMs: number;
}

/** The rules that want copies for a time only, in set order. */
export function leaseRules(rules: readonly CompiledRule[]): readonly LeaseRule[] {
  return rulesOf(rules, "ensure", "promote").flatMap(({ index, rule, verb }) =>
    verb.forMs === undefined
      ? []
      : [{ index, rule, on: verb.kind === "ensure" ? verb.on : verb.to, forMs: verb.forMs }],
  );
}

/**
 * `plan_lease`: for each object that such rules had copied, since when they have had them, and
 * where the copies are, of all objects or `only` these. Only rules of this set count: what nobody wants for a time any more is
 * a copy like all others.
 */
export async function readLeases(planning: Planning, only?: readonly number[]): Promise<void> {
  const rules = leaseRules(planning.rules);
  if (rules.length === 0) return;
  const columns = rules.map(({ index, rule }) => {
    const own = sql`FILTER (WHERE rule = ${rule.id})`;
    return sql`max(since) ${own} AS ${trusted(`s${index}`)},
      coalesce(bit_or(1::BIGINT << backend_id) ${own}, 0) AS ${trusted(`m${index}`)}`;
  });
  const names = rules.map(({ rule }) => sql`${rule.id}`);
  const these =
    only === undefined
      ? trusted("")
      : trusted(`AND object_id IN (SELECT unnest([${only.map(Number).join()}]::BIGINT[]))`);
  await planning.run(sql`CREATE OR REPLACE TEMP TABLE plan_lease AS
    SELECT object_id, ${joinFragments(columns, ",\n")}
    FROM lease WHERE rule IN (${joinFragments(names, ", ")}) ${these} GROUP BY object_id`);
}

/** Joins `plan_lease l` to `object o`, if there is one. */
export function withLeases({ rules }: Planning): SqlFragment {
  const has = leaseRules(rules).length > 0;
  return trusted(has ? "LEFT JOIN plan_lease l ON l.object_id = o.object_id" : "");
}

/**
 * Over `o` and `l`: the rule has had its copies long enough, since they were made and since the
 * object was read last. It wants none then, until the object is read again. Never null.
 */
export function isOver({ set }: Planning, { index, forMs }: LeaseRule): SqlFragment {
  const since = trusted(`l.s${index}`);
  const latest = (set.moment.now.getTime() - forMs) * 1_000;
  return sql`(${since} IS NOT NULL
    AND greatest(${since}, coalesce(o.accessed, ${since})) <= make_timestamp(${latest}::BIGINT))`;
}

/** Over `o` and `l`: the copies of one rule that are surplus, because its time is over. */
export function endedCopies(planning: Planning, rule: LeaseRule): SqlFragment {
  const mask = trusted(`l.m${rule.index}`);
  return sql`(CASE WHEN ${isOver(planning, rule)} THEN ${mask} & o.present_mask
    & ${maskSql(rule.on)} ELSE 0 END)`;
}

/**
 * Columns of a candidate: `leased`, the copies that some rule wants for a time that is not over,
 * and for each such rule those whose time is (`x0`, `x1`, …).
 */
export function leaseColumns(planning: Planning): readonly SqlFragment[] {
  const rules = leaseRules(planning.rules);
  const live = rules.map((rule) => {
    const mask = trusted(`coalesce(l.m${rule.index}, 0)`);
    return sql`CASE WHEN ${isOver(planning, rule)} THEN 0 ELSE ${mask} END`;
  });
  const all = live.length === 0 ? trusted("0") : sql`(${joinFragments(live, " | ")})`;
  return [
    sql`o.present_mask & ${all}::BIGINT AS leased`,
    ...rules.map((rule) => sql`${endedCopies(planning, rule)} AS ${trusted(`x${rule.index}`)}`),
  ];
}
