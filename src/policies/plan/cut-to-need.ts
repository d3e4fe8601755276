import { bitOf, maskSql } from "#policies/plan/mask-sql.ts";
import type { PlacedRule } from "#policies/plan/match-words.ts";
import { hasLimit } from "#policies/plan/take-turns.ts";
import type { RemovalRule } from "#policies/plan/judge-removals.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { sifting } from "#policies/plan/sifting.ts";
import { anywhere, type TurningPoint, turningPoint } from "#policies/plan/turning-point.ts";
import { quotaName } from "#policies/plan/used-by.ts";
import type { Quota } from "#policies/removal-bound.ts";
import { sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/**
 * Leaves in `plan_turn` what is needed to get a backend down to its mark, or owners within their
 * quota, in the order of the rule and no object more. What this plan frees and puts there already
 * counts; a collection that goes together goes whole. What a limit passes over frees nothing, but
 * stays, to be told of where it was needed.
 */
export class CutToNeed {
  readonly #planning: Planning;
  readonly #rule: RemovalRule;
  #turning: TurningPoint | undefined;
  #isDone = false;

  constructor(planning: Planning, rule: RemovalRule) {
    this.#planning = planning;
    this.#rule = rule;
  }

  /** Whether it has cut: where nothing acts there is nothing to. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Narrows acting rows of `plan_want` (as `w`) to those that may be needed, where that is known. */
  async early(): Promise<SqlFragment> {
    const [planning, { index, rule, verb }] = [this.#planning, this.#rule];
    // Who is asked what could be freed in all looks at all of it.
    const looksAtAll = planning.beforeCut !== undefined || hasLimit(planning, index);
    if (verb.free === undefined || looksAtAll || rule.group !== undefined) return trusted("");
    await readNeed(planning, this.#rule);
    const turning = await turningPoint(planning, index, planning.manyFrom);
    this.#turning = turning;
    return sql`AND ${turning.isEarly} AND (${turning.isBefore} OR ${turning.isThere})`;
  }

  /** Cuts `plan_turn`; with an order, of wishes as `w`, makes it of what acts in `plan_want`, in no order. */
  async cut(order?: SqlFragment): Promise<void> {
    const [planning, rule] = [this.#planning, this.#rule];
    const { free, quota } = rule.verb;
    this.#isDone = true;
    if (quota !== undefined) {
      await readNeeds(planning, rule, quota);
      if (order === undefined) await cut(planning, rule, quotaName(quota.per));
      else await takeToQuota(planning, quota.per, order);
    } else if (free !== undefined && this.#turning !== undefined) {
      await cutAfterLast(planning, rule, this.#turning);
    } else if (free !== undefined) {
      await readNeed(planning, rule);
      await (order === undefined ? cutToMark(planning, rule) : takeToMark(planning, rule, order));
    }
  }
}

async function cutToMark(planning: Planning, rule: RemovalRule): Promise<void> {
  const isLimited = hasLimit(planning, rule.index);
  const fitting = trusted(isLimited ? "(FROM plan_turn WHERE fits)" : "plan_turn");
  await planning.beforeCut?.(rule.index, rule.verb.from, fitting);
  if (rule.rule.group === undefined) await cutAfterLast(planning, rule, anywhere);
  else await cut(planning, rule, undefined);
}

async function takeToMark(
  planning: Planning,
  rule: RemovalRule,
  order: SqlFragment,
): Promise<void> {
  const wishes = trusted("(SELECT object_id, size, gone FROM plan_want WHERE acts)");
  await planning.beforeCut?.(rule.index, rule.verb.from, wishes);
  const turning = await turningPoint(planning, rule.index, planning.anyOrder?.from ?? 0);
  const before = sql`SELECT w.object_id, ${String(turning.bytes)}::HUGEINT + sum(w.freed)
      OVER (${order} ROWS UNBOUNDED PRECEDING) - w.freed AS before
    FROM ${freeing} w WHERE ${turning.isEarly} AND ${turning.isThere}`;
  await planning.table(
    "plan_turn",
    sql`SELECT w.* EXCLUDE (acts, block), 0::BIGINT AS position FROM plan_want w
    WHERE w.acts AND ${turning.isEarly} AND (${turning.isBefore} OR (${turning.isThere} AND w.object_id IN (
      SELECT object_id FROM (${before}) WHERE before < (SELECT bytes FROM plan_need))))`,
  );
}

/** The same of each name beyond a quota, by a window and not by sorting whole rows. */
async function takeToQuota(planning: Planning, per: string, order: SqlFragment): Promise<void> {
  const named = sql`SELECT w.*, ${quotaName(per)} AS name
    FROM ${freeing} w LEFT JOIN object o ON o.object_id = w.object_id`;
  const before = sql`SELECT w.object_id, w.name, sum(w.freed) OVER (PARTITION BY w.name ${order}
      ROWS UNBOUNDED PRECEDING) - w.freed AS before FROM (${named}) w`;
  await planning.table(
    "plan_turn",
    sql`SELECT w.* EXCLUDE (acts, block), 0::BIGINT AS position FROM plan_want w
    WHERE w.acts AND w.object_id IN (SELECT f.object_id FROM (${before}) f
      JOIN plan_need n ON n.name = f.name WHERE f.before < n.bytes)`,
  );
}

const freeing = trusted("(SELECT *, size * bit_count(gone) AS freed FROM plan_want WHERE acts)");

/** Of objects that go one by one down to a mark, leaves those up to the last one that is needed. */
async function cutAfterLast(
  planning: Planning,
  { index }: RemovalRule,
  { isThere, bytes }: TurningPoint,
): Promise<void> {
  const freed = freedBytes(planning, index);
  const [row] = await planning.rows(sql`SELECT
      max(position) FILTER (before < (SELECT bytes FROM plan_need)) AS last
    FROM (SELECT position, ${String(bytes)}::HUGEINT
        + sum(freed) OVER (ORDER BY position ROWS UNBOUNDED PRECEDING) - freed AS before
      FROM (SELECT w.position, ${freed} AS freed FROM plan_turn w WHERE ${isThere}))`);
  const last = row?.["last"] ?? null;
  const after = last === null ? trusted("true") : sql`position > ${Number(last)}::BIGINT`;
  await planning.run(sql`DELETE FROM plan_turn WHERE ${after}`);
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

/** The same of each name beyond a quota. */
async function readNeeds(
  planning: Planning,
  { index, verb }: RemovalRule,
  { per, bytes }: Quota,
): Promise<void> {
  const name = quotaName(per);
  await planning.run(sql`CREATE OR REPLACE TEMP TABLE plan_need AS
    WITH change AS (SELECT name, sum(bytes) AS bytes FROM (SELECT ${name} AS name, d.bytes
      FROM (${changeOf(verb.from)}) d JOIN object o ON o.object_id = d.object_id) GROUP BY name)
    SELECT u.name, u.bytes - ${bytes}::BIGINT + coalesce(d.bytes, 0) AS bytes
    FROM plan_used u LEFT JOIN change d ON d.name = u.name WHERE u.rule = ${index}::INTEGER`);
}

/** Whether what the plan does frees all that a rule has to, where an object has copies. */
export async function isFreed(
  planning: Planning,
  rule: PlacedRule<"evict" | "demote">,
  objectId: number,
): Promise<boolean> {
  const { free = [], quota } = rule.verb;
  const own = sql`object o WHERE o.object_id = ${objectId}::BIGINT`;
  const isMet = async (name: SqlFragment) => {
    const [row] = await planning.rows(sql`SELECT coalesce(max(n.bytes), 0) <= 0 AS met
      FROM plan_need n WHERE n.name = (SELECT ${name} FROM ${own})`);
    return row?.["met"] === true;
  };
  if (quota !== undefined) {
    await readNeeds(planning, rule, quota);
    return await isMet(quotaName(quota.per));
  }
  for (const one of free) {
    const from = bitOf(one.backend);
    const there = sql`${own} AND (o.present_mask & ${maskSql(from)}) <> 0`;
    const [row] = await planning.rows(sql`SELECT count(*) AS objects FROM ${there}`);
    if (Number(row?.["objects"]) === 0) continue;
    await readNeed(planning, { ...rule, verb: { ...rule.verb, from, free: [one] } });
    if (!(await isMet(trusted("'all'")))) return false;
  }
  return true;
}

/** Cuts by a name that each object `o` has, or all together. */
async function cut(
  planning: Planning,
  { index, rule }: RemovalRule,
  name: SqlFragment | undefined,
): Promise<void> {
  const isGrouped = rule.group !== undefined;
  const turns = sql`SELECT w.object_id, w.position, ${freedBytes(planning, index)} AS freed,
      ${name ?? trusted("'all'")} AS name, o.collection
    FROM ${sifting("plan_turn")} w LEFT JOIN object o ON o.object_id = w.object_id`;
  const before = sql`SELECT *, sum(freed) OVER (PARTITION BY name
      ORDER BY position, object_id ROWS UNBOUNDED PRECEDING) - freed AS before FROM (${turns})`;
  // A collection is needed where one of those it belongs to is.
  const needed = isGrouped
    ? sql`SELECT object_id FROM (SELECT f.object_id, bool_or(f.before < n.bytes) OVER (
          PARTITION BY coalesce('in ' || f.collection, f.object_id::VARCHAR)) AS needed
        FROM (${before}) f JOIN plan_need n ON n.name = f.name) WHERE needed`
    : sql`SELECT f.object_id FROM (${before}) f
        JOIN plan_need n ON n.name = f.name WHERE f.before < n.bytes`;
  await planning.run(sql`DELETE FROM plan_turn WHERE object_id NOT IN (${needed})`);
}

/** What a row `w` of `plan_turn` frees; nothing if it is beyond a limit by itself. */
function freedBytes(planning: Planning, index: number): SqlFragment {
  const bytes = "w.size * bit_count(w.gone)";
  return trusted(hasLimit(planning, index) ? `CASE WHEN w.fits THEN ${bytes} ELSE 0 END` : bytes);
}

/** Bytes that the drafts put on these backends (positive) and take from them, by object. */
function changeOf(mask: bigint): SqlFragment {
  return sql`SELECT d.object_id,
      CASE WHEN ${isAmong(trusted("d.target"), mask)} AND d.writes THEN d.size ELSE 0 END
        - CASE WHEN ${isAmong(trusted("d.victim"), mask)} THEN d.size ELSE 0 END AS bytes
    FROM plan_draft d`;
}

function isAmong(backend: SqlFragment, mask: bigint): SqlFragment {
  return sql`(${backend} IS NOT NULL AND (${maskSql(mask)} >> ${backend}) & 1 = 1)`;
}
