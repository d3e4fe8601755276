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

/** What actions cost, as SQL over drafts `d` beside their candidates `c`. */
export interface ActionCost {
  /** Joins to `d` and `c`. */
  readonly joins: SqlFragment;
  /** Shares of a dollar to pay once: to read, to write, and for a copy that goes too early. */
  readonly now: SqlFragment;
  /** Shares by which a month gets dearer; negative when it gets cheaper. */
  readonly month: SqlFragment;
}

/**
 * One statement for all that is priced: totals of plans, limits, and what a move must earn. A
 * target that has the copy already, and only has it checked, costs nothing; nor does a mark for
 * deletion. Where no backend has a price there is nothing to join.
 */
export function actionCost(planning: Planning): ActionCost {
  if (!isPriced(planning)) {
    return { joins: trusted(""), now: trusted("0::HUGEINT"), month: trusted("0::HUGEINT") };
  }
  const prices = trusted(`(VALUES ${priceRows(planning.backends)}) AS`);
  const hasMinimum = planning.backends.some(({ price }) => price.minimumDurationMs > 0);
  const left = leftMs(planning.set.moment.now, "k.since", "v");
  const early = hasMinimum
    ? sql` + CASE WHEN d.victim IS NULL THEN 0 ELSE ${trusted(earlyEndCost("c.size", "v", left))} END`
    : trusted("");
  const writes = trusted(
    "(d.target IS NOT NULL AND (c.present_mask >> greatest(d.target, 0)) & 1 = 0)",
  );
  return {
    joins: sql`
      JOIN ${prices} s(${trusted(priceColumns)}) ON s.backend_id = coalesce(d.source, -1)
      JOIN ${prices} t(${trusted(priceColumns)}) ON t.backend_id = coalesce(d.target, -1)
      JOIN ${prices} v(${trusted(priceColumns)}) ON v.backend_id = coalesce(d.victim, -1)
      ${trusted(
        hasMinimum
          ? "LEFT JOIN copy k ON k.object_id = d.object_id AND k.backend_id = d.victim"
          : "",
      )}`,
    now: sql`(CASE WHEN ${writes} THEN ${trusted(copyingCost("c.size", "s", "t"))}
      WHEN d.verb = 'export-car' THEN ${trusted(readingCost("c.size", "s"))}
      ELSE 0::HUGEINT END${early})`,
    month: sql`(CASE WHEN ${writes} THEN ${trusted(keepingCost("c.size", "t"))} ELSE 0::HUGEINT END
      - CASE WHEN d.victim IS NULL THEN 0::HUGEINT ELSE ${trusted(keepingCost("c.size", "v"))} END)`,
  };
}

/** Whether anything costs anything here. */
export function isPriced({ backends }: Pick<Planning, "backends">): boolean {
  return backends.some(hasPrice);
}
