import type { BlockReason } from "#model/plan.ts";
import { noteShort, noteWishes } from "#policies/plan/group.ts";
import { orderColumn } from "#policies/plan/scan-candidates.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { joinFragments, sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/**
 * Puts the acting rows of `plan_want` in the order of their rule (then by object) and cuts them
 * at its limits: `plan_turn` is what remains, and its number of rows is returned. An object that
 * alone exceeds the byte limit is passed over, so that it cannot stand in the way for ever.
 * `cutFurther` may take more rows out of `plan_turn`, before they count.
 */
export async function takeTurns(
  planning: Planning,
  index: number,
  cutFurther: () => Promise<void> = async () => undefined,
): Promise<number> {
  await recordBlocked(planning, index);
  await noteWishes(planning, index);
  const rule = planning.rules[index];
  const { objects, bytes } = rule?.limit ?? {};
  const isOrdered = (rule?.order.length ?? 0) > 0;
  if (objects === undefined && bytes === undefined && !isOrdered) {
    await planning.table(
      "plan_turn",
      trusted(`SELECT ${chosen}, w.object_id AS position FROM plan_want w WHERE w.acts`),
    );
    await planning.release("plan_want");
    await cutFurther();
    return await countRows(planning, "plan_turn");
  }
  const spent = planning.spent.get(index) ?? { objects: 0, bytes: 0 };
  const unbounded = Number.MAX_SAFE_INTEGER;
  // Sorting carries keys only; the wide rows are fetched for what is chosen.
  const most = { objects: objects ?? unbounded, bytes: bytes ?? unbounded };
  const ranked =
    rule?.group === undefined ? oneByOne(planning, index, most) : byGroup(planning, index, most);
  await planning.table(
    "plan_rank",
    sql`SELECT object_id, size, position,
      fits AND running_bytes <= ${most.bytes - spent.bytes}::BIGINT
        AND running_objects <= ${most.objects - spent.objects}::BIGINT AS within
    FROM (${ranked})`,
  );
  await block(planning, index, "limit", trusted("FROM plan_rank WHERE NOT within"));
  await planning.table(
    "plan_turn",
    trusted(`SELECT ${chosen}, r.position
    FROM plan_want w JOIN plan_rank r ON r.object_id = w.object_id WHERE r.within`),
  );
  await planning.release("plan_want", "plan_rank");
  await cutFurther();
  const [used] = await planning.rows(
    trusted(`SELECT count(*) AS objects,
    coalesce(sum(bytes), 0)::BIGINT AS bytes FROM plan_turn`),
  );
  const turns = Number(used?.["objects"] ?? 0);
  planning.spent.set(index, {
    objects: spent.objects + turns,
    bytes: spent.bytes + Number(used?.["bytes"] ?? 0),
  });
  return turns;
}

/** Of a wish, what is still of interest when it is granted. */
const chosen = "w.* EXCLUDE (acts, block)";

interface Most {
  readonly objects: number;
  readonly bytes: number;
}

function oneByOne(planning: Planning, index: number, { bytes }: Most): SqlFragment {
  return sql`SELECT object_id, size, fits, row_number() OVER turns AS position,
      sum(fits::BIGINT) OVER (turns ROWS UNBOUNDED PRECEDING) AS running_objects,
      sum(CASE WHEN fits THEN bytes ELSE 0 END) OVER (turns ROWS UNBOUNDED PRECEDING)
        AS running_bytes
    FROM (SELECT *, bytes <= ${bytes}::BIGINT AS fits FROM plan_want w WHERE w.acts) w
    WINDOW turns AS (${turnOrder(planning, index)})`;
}

/** A collection takes its turn with its first object, whole; one that is too large is passed over. */
function byGroup(planning: Planning, index: number, { objects, bytes }: Most): SqlFragment {
  const turns = sql`SELECT w.*, coalesce('in ' || c.collection, w.object_id::VARCHAR) AS unit,
      row_number() OVER (${turnOrder(planning, index)}) AS turn
    FROM plan_want w JOIN plan_candidate c ON c.object_id = w.object_id WHERE w.acts`;
  const units = sql`SELECT *, min(turn) OVER own AS first, sum(bytes) OVER own
        <= ${bytes}::BIGINT AND count(*) OVER own <= ${objects}::BIGINT AS fits
    FROM (${turns}) WINDOW own AS (PARTITION BY unit)`;
  // Up to and with the whole collection: rows of one have the same place.
  return sql`SELECT object_id, size, fits,
      row_number() OVER (ORDER BY first, turn) AS position,
      sum(fits::BIGINT) OVER units AS running_objects,
      sum(CASE WHEN fits THEN bytes ELSE 0 END) OVER units AS running_bytes
    FROM (${units}) WINDOW units AS (ORDER BY first RANGE UNBOUNDED PRECEDING)`;
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
  await planning.run(sql`INSERT INTO plan_blocked (rule_index, reason, objects, bytes)
    SELECT ${index}::INTEGER, ${reason}, count(*), coalesce(sum(size), 0)::BIGINT ${from}
    HAVING count(*) > 0`);
  await noteShort(planning, index, reason, from);
}

async function recordBlocked(planning: Planning, index: number): Promise<void> {
  await planning.run(sql`INSERT INTO plan_blocked (rule_index, reason, objects, bytes)
    SELECT ${index}::INTEGER, block, count(*), sum(size)::BIGINT
    FROM plan_want WHERE block IS NOT NULL GROUP BY block`);
}

function turnOrder(planning: Planning, index: number): SqlFragment {
  const keys = (planning.rules[index]?.order ?? []).map(({ descending }, at) =>
    trusted(`w.${orderColumn(index, at)} ${descending ? "DESC" : "ASC"} NULLS LAST, `),
  );
  return sql`ORDER BY ${joinFragments(keys, "")} w.object_id`;
}
