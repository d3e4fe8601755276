import { budgetWords } from "#model/budget.ts";
import { sharesOf } from "#model/cost-sql.ts";
import { formatMoney } from "#model/money.ts";
import { objectsAllowed, type PlanLimits, shareText } from "#model/plan-limits.ts";
import { formatSize } from "#model/quantity.ts";
import { budgetState, type OpenBudget } from "#policies/plan/plan-budgets.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { trusted } from "#policies/sql-fragment.ts";

/** Limits and who set them, in words: `policy cool-down`, `this plan`. */
export interface NamedLimits {
  readonly of: string;
  readonly limits: PlanLimits;
}

/** One bound on a sum over the objects of a plan, and what it is called. */
export interface Bound {
  /** What all of them together may use. */
  readonly most: bigint;
  /** What one may use at all: of a budget more than is left now. */
  readonly mostAlone: bigint;
  readonly reason: "limit" | "budget";
  readonly words: string;
}

/** The bounds of each kind, the smallest first. Cost is in shares of a dollar. */
export interface Bounds {
  readonly objects: readonly Bound[];
  readonly bytes: readonly Bound[];
  readonly cost: readonly Bound[];
}

/** What these limits and budgets allow, and how each of them is called. */
export async function limitBounds(
  planning: Planning,
  sources: readonly NamedLimits[],
  budgets: readonly OpenBudget[],
): Promise<Bounds> {
  const objects: Bound[] = [];
  const bytes: Bound[] = [];
  const cost = budgets.map(budgetBound);
  for (const { of, limits } of sources) {
    if (limits.objects !== undefined) {
      objects.push(bound(limits.objects, `${of}: ${limits.objects} objects`));
    }
    if (limits.objectsShare !== undefined) {
      const all = await objectsInIndex(planning);
      const most = objectsAllowed(limits.objectsShare, all);
      const share = shareText(limits.objectsShare);
      objects.push(bound(most, `${of}: ${share} of ${all} objects, which is ${most}`));
    }
    if (limits.bytes !== undefined) {
      bytes.push(bound(limits.bytes, `${of}: ${formatSize(limits.bytes)}`));
    }
    if (limits.costUsd !== undefined) {
      cost.push(bound(sharesOf(limits.costUsd), `${of}: ${formatMoney(limits.costUsd)}`));
    }
  }
  return { objects: sorted(objects), bytes: sorted(bytes), cost: sorted(cost) };
}

function bound(most: number | bigint, words: string): Bound {
  return { most: BigInt(most), mostAlone: BigInt(most), reason: "limit", words };
}

function budgetBound(open: OpenBudget): Bound {
  const { budget, left } = open;
  return {
    most: left,
    mostAlone: sharesOf(budget.usd),
    reason: "budget",
    words: `${budget.of}: ${budgetWords(budgetState(open))}`,
  };
}

function sorted(bounds: readonly Bound[]): readonly Bound[] {
  return bounds.toSorted((a, b) => Number(a.most - b.most));
}

async function objectsInIndex(planning: Planning): Promise<number> {
  const [row] = await planning.rows(trusted("SELECT count(*) AS objects FROM object"));
  return Number(row?.["objects"] ?? 0);
}
