import { maskSql } from "#policies/plan/mask-sql.ts";
import type { RemovalRule } from "#policies/plan/judge-removals.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { sifting } from "#policies/plan/sifting.ts";
import { quotaName } from "#policies/plan/used-by.ts";
import type { Quota } from "#policies/removal-bound.ts";
import { sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/**
 * Leaves in `plan_turn` what is needed to get a backend down to its mark, or owners within their
 * quota, in the order of the rule and no object more. What this plan frees and puts there already
 * counts; a collection that goes together goes whole.
 */
export async function cutToNeed(planning: Planning, rule: RemovalRule): Promise<void> {
  const { free, quota } = rule.verb;
  if (quota !== undefined) await cutToQuota(planning, rule, quota);
  else if (free !== undefined) await cutToMark(planning, rule);
}

async function cutToMark(planning: Planning, rule: RemovalRule): Promise<void> {
  await readNeed(planning, rule);
  await planning.beforeCut?.(rule.index, rule.verb.from, trusted("plan_turn"));
  await cut(planning, undefined, rule.rule.group);
}

/** Tells who waits for it of a mark for which nothing can be freed. */
export async function leaveAbove(planning: Planning, rule: RemovalRule): Promise<void> {
  if (planning.beforeCut === undefined || rule.verb.free === undefined) return;
  await readNeed(planning, rule);
  await planning.beforeCut(rule.index, rule.verb.from, undefined);
}

async function readNeed(planning: Planning, { verb }: RemovalRule): Promise<void> {
  const bytes = (verb.free ?? []).reduce((sum, one) => sum + one.bytes, 0);
  const change = sql`(SELECT coalesce(sum(bytes), 0) FROM (${changeOf(verb.from)}))`;
  await planning.run(sql`CREATE OR REPLACE TEMP TABLE plan_need AS
    SELECT 'all' AS name, ${bytes}::BIGINT + ${change} AS bytes`);
}

async function cutToQuota(
  planning: Planning,
  { index, verb, rule }: RemovalRule,
  { per, bytes }: Quota,
): Promise<void> {
  const name = quotaName(per);
  await planning.run(sql`CREATE OR REPLACE TEMP TABLE plan_need AS
    WITH change AS (SELECT name, sum(bytes) AS bytes FROM (SELECT ${name} AS name, d.bytes
      FROM (${changeOf(verb.from)}) d JOIN object o ON o.object_id = d.object_id) GROUP BY name)
    SELECT u.name, u.bytes - ${bytes}::BIGINT + coalesce(d.bytes, 0) AS bytes
    FROM plan_used u LEFT JOIN change d ON d.name = u.name WHERE u.rule = ${index}::INTEGER`);
  await cut(planning, name, rule.group);
}

/** Cuts by a name that each object `o` has, or all together. */
async function cut(
  planning: Planning,
  name: SqlFragment | undefined,
  group: "collection" | undefined,
): Promise<void> {
  const isGrouped = group !== undefined;
  const freed = trusted("t.object_id, t.position, t.size * bit_count(t.gone) AS freed");
  // Of objects that go one by one down to a mark, all is known that matters.
  const turns =
    name === undefined && !isGrouped
      ? sql`SELECT ${freed}, 'all' AS name FROM plan_turn t`
      : sql`SELECT ${freed}, ${name ?? trusted("'all'")} AS name, o.collection
          FROM ${sifting("plan_turn")} t LEFT JOIN object o ON o.object_id = t.object_id`;
  const before = sql`SELECT *, sum(freed) OVER (PARTITION BY name
      ORDER BY position, object_id ROWS UNBOUNDED PRECEDING) - freed AS before FROM (${turns})`;
  const whole = isGrouped
    ? sql`SELECT * REPLACE (min(before) OVER (PARTITION BY name,
        coalesce('in ' || collection, object_id::VARCHAR)) AS before) FROM (${before})`
    : before;
  await planning.run(sql`DELETE FROM plan_turn WHERE object_id NOT IN (
    SELECT f.object_id FROM (${whole}) f
    JOIN plan_need n ON n.name = f.name WHERE f.before < n.bytes)`);
}

/** Bytes that the drafts put on these backends (positive) and take from them, by object. */
function changeOf(mask: bigint): SqlFragment {
  const there = trusted("(c.present_mask >> d.target) & 1 = 1");
  return sql`SELECT d.object_id,
      CASE WHEN ${isAmong(trusted("d.target"), mask)} AND NOT ${there} THEN c.size ELSE 0 END
        - CASE WHEN ${isAmong(trusted("d.victim"), mask)} THEN c.size ELSE 0 END AS bytes
    FROM plan_draft d JOIN plan_candidate c ON c.object_id = d.object_id`;
}

function isAmong(backend: SqlFragment, mask: bigint): SqlFragment {
  return sql`(${backend} IS NOT NULL AND (${maskSql(mask)} >> ${backend}) & 1 = 1)`;
}
