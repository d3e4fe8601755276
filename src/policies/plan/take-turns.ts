import type { BlockReason } from "#model/plan.ts";
import type { CutToNeed } from "#policies/plan/cut-to-need.ts";
import { earlyTurns, fitting, type Most } from "#policies/plan/early-turns.ts";
import { noteShort, noteWishes } from "#policies/plan/group.ts";
import { orderColumn } from "#policies/plan/scan-candidates.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { joinFragments, sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/**
 * Puts the acting rows of `plan_want` in the order of their rule (then by object) and cuts them
 * at its limits: `plan_turn` is what remains, and its number of rows is returned; with none there
 * is no such table. An object that alone exceeds the byte limit is passed over, so that it cannot
 * stand in the way for ever. `need` takes out of `plan_turn` what is not needed, before limits
 * count anything; where the rule has limits, `fits` says there what is not passed over.
 */
export async function takeTurns(
  planning: Planning,
  index: number,
  need?: CutToNeed,
): Promise<number> {
  const acting = await weighWishes(planning, index);
  await noteWishes(planning, index);
  const rule = planning.rules[index];
  const { limit, order = [], group } = rule ?? {};
  const isLimited = hasLimit(planning, index);
  if (acting.objects === 0) {
    await planning.release("plan_want");
    return 0;
  }
  const before = planning.spent.get(index) ?? { objects: 0, bytes: 0 };
  const most: Most = { objects: limit?.objects, bytes: limit?.bytes, spent: before };
  const isCut = need !== undefined;
  const isUnsorted = isCut && planning.anyOrder !== undefined && !isLimited && group === undefined;
  if (isUnsorted) {
    await need.cut(turnOrder(planning, index));
  } else if (!isLimited && order.length === 0) {
    const early = (await need?.early()) ?? trusted("");
    await planning.table(
      "plan_turn",
      sql`SELECT ${trusted(chosen)}, w.object_id AS position FROM plan_want w WHERE w.acts ${early}`,
    );
  } else {
    const isLater = isCut && isLimited;
    const ranked =
      group === undefined
        ? await oneByOne(planning, index, { most, acting, isLater, need })
        : byGroup(planning, index, { most, isLater });
    await planning.table("plan_turn", ranked);
  }
  const granted = isLimited && !isCut ? await countTurns(planning) : acting;
  await blockRest(planning, index, acting, granted);
  await planning.release("plan_want");
  if (isCut && !isUnsorted) {
    await need.cut();
    if (isLimited) await cutAtLimits(planning, index, most);
  }
  const used = isCut ? await countTurns(planning) : granted;
  planning.spent.set(index, {
    objects: before.objects + used.objects,
    bytes: before.bytes + used.bytes,
  });
  return used.objects;
}

/** Whether a rule itself says how much it does at most. */
export function hasLimit({ rules }: Planning, index: number): boolean {
  const { objects, bytes } = rules[index]?.limit ?? {};
  return objects !== undefined || bytes !== undefined;
}

/** Of a wish, what is still of interest when it is granted. */
const chosen = "w.* EXCLUDE (acts, block)";

/** How many objects there are, their bytes, and the bytes that count for a limit. */
interface Turns {
  readonly objects: number;
  readonly size: number;
  readonly bytes: number;
}

/** Counts what stands in the way of wishes; answers which of them could be granted. */
async function weighWishes(planning: Planning, index: number): Promise<Turns> {
  const rows = await planning.rows(
    trusted(`SELECT block, acts, count(*) AS objects, sum(size)::BIGINT AS size,
      sum(bytes)::BIGINT AS bytes
    FROM plan_want WHERE acts OR block IS NOT NULL GROUP BY block, acts`),
  );
  const acting = { objects: 0, size: 0, bytes: 0 };
  for (const row of rows) {
    const [objects, size] = [Number(row["objects"]), Number(row["size"])];
    planning.judges(objects);
    if (typeof row["block"] === "string") {
      const reason = row["block"] as BlockReason;
      planning.blocked.add({ ruleIndex: index, reason, objects, bytes: size });
    }
    if (row["acts"] !== true) continue;
    acting.objects += objects;
    acting.size += size;
    acting.bytes += Number(row["bytes"]);
  }
  return acting;
}

async function countTurns(planning: Planning): Promise<Turns> {
  const [row] = await planning.rows(
    trusted(`SELECT count(*) AS objects, coalesce(sum(size), 0)::BIGINT AS size,
      coalesce(sum(bytes), 0)::BIGINT AS bytes FROM plan_turn`),
  );
  return {
    objects: Number(row?.["objects"] ?? 0),
    size: Number(row?.["size"] ?? 0),
    bytes: Number(row?.["bytes"] ?? 0),
  };
}

/** What could be granted and is not, is beyond a limit of the rule. */
async function blockRest(
  planning: Planning,
  index: number,
  acting: Turns,
  granted: Turns,
): Promise<void> {
  const objects = acting.objects - granted.objects;
  if (objects === 0) return;
  const bytes = acting.size - granted.size;
  planning.blocked.add({ ruleIndex: index, reason: "limit", objects, bytes });
  const rest = trusted(`FROM plan_want
    WHERE acts AND object_id NOT IN (SELECT object_id FROM plan_turn)`);
  await noteShort(planning, index, "limit", rest);
}

/** Takes out of `plan_turn` what is needed and beyond the limits of the rule. */
async function cutAtLimits(planning: Planning, index: number, most: Most): Promise<void> {
  const tests = withinTests(most, trusted("w.fits"), trusted("OVER units"));
  await planning.run(sql`CREATE OR REPLACE TEMP TABLE plan_beyond AS
    SELECT object_id, size FROM (
      SELECT w.object_id, w.size, w.fits AND ${joinFragments(tests, " AND ")} AS granted
      FROM plan_turn w WINDOW units AS (ORDER BY first RANGE UNBOUNDED PRECEDING))
    WHERE NOT granted`);
  await block(planning, index, "limit", trusted("FROM plan_beyond"));
  await planning.run(
    trusted("DELETE FROM plan_turn WHERE object_id IN (SELECT object_id FROM plan_beyond)"),
  );
}

/** How the rows of a rule take turns. */
interface Turning {
  readonly most: Most;
  readonly need?: CutToNeed | undefined;
  /** Limits are looked at later: `fits` and `first` (the same for all of a group) are kept for it. */
  readonly isLater: boolean;
}

async function oneByOne(
  planning: Planning,
  index: number,
  { most, acting, isLater, need }: Turning & { readonly acting: Turns },
): Promise<SqlFragment> {
  // In order first: a window that orders by itself carries all columns along, once for each sum.
  const inOrder = (which: SqlFragment) =>
    sql`SELECT ${trusted(chosen)} FROM plan_want w WHERE w.acts ${which} ${turnOrder(planning, index)}`;
  if (isLater) {
    return sql`SELECT w.*, ${fitting(most.bytes)} AS fits, row_number() OVER () AS position,
      position AS first FROM (${inOrder(trusted(""))}) w`;
  }
  const early = (await need?.early()) ?? (await earlyTurns(planning, index, most, acting));
  return sql`SELECT w.*, row_number() OVER () AS position
    FROM (${inOrder(sql`AND ${fitting(most.bytes)} ${early}`)}) w
    ${within(most, trusted("true"), trusted("OVER (ROWS UNBOUNDED PRECEDING)"))}`;
}

/** A collection takes its turn with its first object, whole; one that is too large is passed over. */
function byGroup(planning: Planning, index: number, { most, isLater }: Turning): SqlFragment {
  const turns = sql`SELECT ${trusted(chosen)}, coalesce('in ' || c.collection, w.object_id::VARCHAR) AS unit,
      row_number() OVER (${turnOrder(planning, index)}) AS turn
    FROM plan_want w JOIN plan_candidate c ON c.object_id = w.object_id WHERE w.acts`;
  const bounds = [
    ...(most.bytes === undefined ? [] : [sql`sum(bytes) OVER own <= ${most.bytes}::BIGINT`]),
    ...(most.objects === undefined ? [] : [sql`count(*) OVER own <= ${most.objects}::BIGINT`]),
    trusted("true"),
  ];
  const units = sql`SELECT *, min(turn) OVER own AS first, ${joinFragments(bounds, " AND ")} AS fits
    FROM (${turns}) WINDOW own AS (PARTITION BY unit)`;
  // Up to and with the whole collection: rows of one have the same place.
  const excluded = isLater ? "unit, turn" : "unit, turn, first, fits";
  return sql`SELECT w.* EXCLUDE (${trusted(excluded)}),
      row_number() OVER (ORDER BY first, turn) AS position
    FROM (${units}) w WINDOW units AS (ORDER BY first RANGE UNBOUNDED PRECEDING)
    ${isLater ? trusted("") : within(most, trusted("w.fits"), trusted("OVER units"))}`;
}

/** Leaves rows that fit, up to where those `up` to one would exceed what is left of a limit. */
function within(most: Most, fits: SqlFragment, up: SqlFragment): SqlFragment {
  const tests = withinTests(most, fits, up);
  return tests.length === 0
    ? trusted("")
    : sql`QUALIFY ${fits} AND ${joinFragments(tests, " AND ")}`;
}

function withinTests(
  { objects, bytes, spent }: Most,
  fits: SqlFragment,
  up: SqlFragment,
): readonly SqlFragment[] {
  return [
    ...(objects === undefined
      ? []
      : [sql`sum((${fits})::BIGINT) ${up} <= ${objects - spent.objects}::BIGINT`]),
    ...(bytes === undefined
      ? []
      : [
          sql`sum(CASE WHEN ${fits} THEN w.bytes ELSE 0 END) ${up} <= ${bytes - spent.bytes}::BIGINT`,
        ]),
  ];
}

/** How many rows a temporary table of this plan has. */
export async function countRows(
  planning: Planning,
  table: "plan_want" | "plan_turn" | "plan_pick",
): Promise<number> {
  const [counted] = await planning.rows(trusted(`SELECT count(*) AS rows FROM ${table}`));
  return Number(counted?.["rows"] ?? 0);
}

/** The columns that carry the order of a rule from the candidates to `plan_want`. */
export function orderColumns(planning: Planning, index: number): SqlFragment {
  const keys = planning.rules[index]?.order ?? [];
  return joinFragments(
    keys.map((_, at) => trusted(`, c.${orderColumn(index, at)}`)),
    "",
  );
}

/** Counts the objects of a query (columns object_id, size) that a rule could not be given. */
export async function block(
  planning: Planning,
  index: number,
  reason: BlockReason,
  from: SqlFragment,
): Promise<void> {
  await planning.blocked.count(
    planning,
    sql`SELECT ${trusted(`${index}`)} AS rule, ${trusted(`'${reason}'`)} AS reason,
      count(*) AS objects, coalesce(sum(size), 0)::BIGINT AS bytes ${from}
    HAVING count(*) > 0`,
  );
  await noteShort(planning, index, reason, from);
}

function turnOrder(planning: Planning, index: number): SqlFragment {
  const keys = (planning.rules[index]?.order ?? []).map(({ descending }, at) =>
    trusted(`w.${orderColumn(index, at)} ${descending ? "DESC" : "ASC"} NULLS LAST, `),
  );
  return sql`ORDER BY ${joinFragments(keys, "")} w.object_id`;
}
