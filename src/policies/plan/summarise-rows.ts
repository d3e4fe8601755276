import type { Verb } from "#model/plan.ts";
import { copiesOn, withSame } from "#policies/plan/one-storage.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { sifting } from "#policies/plan/sifting.ts";
import { rowCost } from "#policies/price/action-cost.ts";
import { groupCost, isCostOfSums } from "#policies/price/group-cost.ts";
import { sql, trusted } from "#policies/sql-fragment.ts";

/** What is in `plan_row`, read in two statements for all that the header says of it. */
export interface RowSummary {
  /** In the order of the plan. */
  readonly groups: readonly RowGroup[];
  readonly objects: TouchedObjects;
}

/** Rows that do the same for the same rule, from and to the same backends. */
export interface RowGroup {
  readonly verb: Verb;
  readonly ruleIndex: number;
  /** Ids of backends. */
  readonly source: number | null;
  readonly target: number | null;
  readonly victim: number | null;
  readonly actions: number;
  readonly bytes: number;
  /** Of the actions, those that write a copy. */
  readonly writes: number;
  /** Of the bytes, those that are written. */
  readonly bytesMoved: number;
  /** In shares of a dollar: at once, and by which a month gets dearer. */
  readonly costNow: bigint;
  readonly costMonth: bigint;
}

/** How many objects there are, and how many of them the rows do something with. */
export interface TouchedObjects {
  readonly all: number;
  readonly acting: number;
  /** Of these, those that lose or move a copy, or are marked for deletion. */
  readonly touched: number;
  /** Those whose copies are deleted for good. */
  readonly deleted: number;
  /** Those that would be left with fewer verified copies than any object keeps. */
  readonly belowMinimum: number;
}

/** Reads `plan_row` once by group and once by object. */
export async function summariseRows(planning: Planning): Promise<RowSummary> {
  return { groups: await rowGroups(planning), objects: await touchedObjects(planning) };
}

async function rowGroups(planning: Planning): Promise<readonly RowGroup[]> {
  const { backends } = planning;
  // Where sums say what rows cost, it is not asked of each of them.
  const cost = isCostOfSums(backends) ? undefined : rowCost(planning);
  const costs =
    cost === undefined
      ? trusted("")
      : sql`, sum(${cost.now})::VARCHAR AS now, sum(${cost.month})::VARCHAR AS month`;
  const rows = await planning.rows(sql`SELECT r.verb, r.rule_index, r.source, r.target, r.victim,
      count(*) AS actions, sum(r.size)::BIGINT AS bytes,
      count(*) FILTER (r.writes) AS writes,
      coalesce(sum(r.size) FILTER (r.writes), 0)::BIGINT AS moved ${costs}
    FROM plan_row r ${cost?.joins ?? trusted("")}
    GROUP BY r.verb, r.rule_index, r.source, r.target, r.victim
    ORDER BY min(r.place), r.rule_index`);
  return rows.map((row) => {
    const group = {
      verb: row["verb"] as Verb,
      ruleIndex: Number(row["rule_index"]),
      source: backendOf(row["source"]),
      target: backendOf(row["target"]),
      victim: backendOf(row["victim"]),
      actions: Number(row["actions"]),
      bytes: Number(row["bytes"]),
      writes: Number(row["writes"]),
      bytesMoved: Number(row["moved"]),
    };
    const { now, month } =
      cost === undefined
        ? groupCost(backends, group)
        : { now: BigInt(String(row["now"])), month: BigInt(String(row["month"])) };
    return { ...group, costNow: now, costMonth: month };
  });
}

function backendOf(id: unknown): number | null {
  return id === null ? null : Number(id);
}

/** What is left of verified copies is asked of the index afresh, apart from the code that planned. */
async function touchedObjects(planning: Planning): Promise<TouchedObjects> {
  const rows = planning.actsOnMany ? trusted("plan_row") : sifting("plan_row");
  const gone = withSame(planning, trusted("r.gone"));
  const left = copiesOn(planning, sql`(o.verified_mask | r.come) & ~${gone}`);
  const [counts] = await planning.rows(sql`SELECT (SELECT count(*) FROM object) AS all_objects,
      count(*) AS acting, count(*) FILTER (r.touched) AS touched,
      count(*) FILTER (r.deleted) AS deleted,
      count(*) FILTER (r.gone IS NOT NULL AND ${left}
        < ${planning.minimumCopies}::INTEGER) AS below
    FROM (SELECT object_id, bool_or(victim IS NOT NULL OR verb = 'tombstone') AS touched,
        bool_or(verb = 'delete') AS deleted,
        bit_or(1::BIGINT << victim) FILTER (verb <> 'delete') AS gone,
        coalesce(bit_or(1::BIGINT << target), 0) AS come
      FROM ${rows} GROUP BY object_id) r
    LEFT JOIN object o ON o.object_id = r.object_id`);
  const count = (column: string) => Number(counts?.[column] ?? 0);
  return {
    all: count("all_objects"),
    acting: count("acting"),
    touched: count("touched"),
    deleted: count("deleted"),
    belowMinimum: count("below"),
  };
}
