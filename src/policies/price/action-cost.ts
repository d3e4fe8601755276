import { hasPrice } from "#model/backend.ts";
import type { Planning } from "#policies/plan/planning.ts";
import {
  copyingCost,
  earlyEndCost,
  keepingCost,
  leftMs,
  priceColumns,
  priceRows,
  readingCost,
} from "#model/cost-sql.ts";
import { sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/** What actions cost, as SQL over the tables where they are. */
export interface ActionCost {
  /** Joins to these tables. */
  readonly joins: SqlFragment;
  /** Shares of a dollar to pay once: to read, to write, and for a copy that goes too early. */
  readonly now: SqlFragment;
  /** Of `now`, what is left of the minimum duration of a copy that goes. */
  readonly early: SqlFragment;
  /** Whether a copy is made that is charged at the `minimumSize` of its target. */
  readonly isRaised: SqlFragment;
  /** Shares by which a month gets dearer; negative when it gets cheaper. */
  readonly month: SqlFragment;
}

/** Where actions are, by the alias of the table, and how large and new their copies. */
interface PricedActions {
  readonly action: "d" | "r";
  readonly size: "c.size" | "r.size";
  /** Whether an action writes a copy. */
  readonly writes: string;
}

const drafts: PricedActions = {
  action: "d",
  size: "c.size",
  writes: "(d.target IS NOT NULL AND (c.present_mask >> greatest(d.target, 0)) & 1 = 0)",
};

const rows: PricedActions = { action: "r", size: "r.size", writes: "r.writes" };

/** The same of `plan_row r`. */
export function rowCost(planning: Planning): ActionCost {
  return actionCost(planning, rows);
}

/**
 * One statement for all that is priced: totals of plans, limits, and what a move must earn; of
 * drafts `d` beside their candidates `c` unless another place is named. A target that has the
 * copy already, and only has it checked, costs nothing; nor does a mark for deletion. Where no
 * backend has a price there is nothing to join.
 */
export function actionCost(
  planning: Planning,
  { action, size, writes }: PricedActions = drafts,
): ActionCost {
  if (!isPriced(planning)) {
    const nothing = trusted("0::HUGEINT");
    const isRaised = trusted("false");
    return { joins: trusted(""), now: nothing, early: nothing, isRaised, month: nothing };
  }
  const [source, target, victim] = ["source", "target", "victim"].map((backend) =>
    trusted(`${action}.${backend}`),
  ) as [SqlFragment, SqlFragment, SqlFragment];
  const prices = trusted(`(VALUES ${priceRows(planning.backends)}) AS`);
  const hasMinimum = planning.backends.some(({ price }) => price.minimumDurationMs > 0);
  const left = leftMs(planning.set.moment.now, "k.since", "v");
  const early = hasMinimum
    ? sql`CASE WHEN ${victim} IS NULL THEN 0 ELSE ${trusted(earlyEndCost(size, "v", left))} END`
    : trusted("0::HUGEINT");
  const isWritten = trusted(writes);
  return {
    joins: sql`
      JOIN ${prices} s(${trusted(priceColumns)}) ON s.backend_id = coalesce(${source}, -1)
      JOIN ${prices} t(${trusted(priceColumns)}) ON t.backend_id = coalesce(${target}, -1)
      JOIN ${prices} v(${trusted(priceColumns)}) ON v.backend_id = coalesce(${victim}, -1)
      ${trusted(
        hasMinimum
          ? `LEFT JOIN copy k ON k.object_id = ${action}.object_id AND k.backend_id = ${action}.victim`
          : "",
      )}`,
    now: sql`(CASE WHEN ${isWritten} THEN ${trusted(copyingCost(size, "s", "t"))}
      WHEN ${trusted(action)}.verb = 'export-car' THEN ${trusted(readingCost(size, "s"))}
      ELSE 0::HUGEINT END + ${early})`,
    early,
    isRaised: sql`(${isWritten} AND ${trusted(size)} < t.minimum_bytes)`,
    month: sql`(CASE WHEN ${isWritten} THEN ${trusted(keepingCost(size, "t"))} ELSE 0::HUGEINT END
      - CASE WHEN ${victim} IS NULL THEN 0::HUGEINT ELSE ${trusted(keepingCost(size, "v"))} END)`,
  };
}

/** Whether anything costs anything here. */
export function isPriced({ backends }: Pick<Planning, "backends">): boolean {
  return backends.some(hasPrice);
}
