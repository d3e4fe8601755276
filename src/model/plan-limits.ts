import { type Budget, formatBudget } from "#model/budget.ts";
import { EngineError } from "#model/engine-error.ts";
import { formatMoney } from "#model/money.ts";
import { formatSize, parseCount } from "#model/quantity.ts";

/** The most that one plan does. Where several bounds are given, each of them holds. */
export interface PlanLimits {
  /** Objects that it acts on. */
  readonly objects?: number;
  /** The same as a share (0 to 1) of all objects in the index; one object is always allowed. */
  readonly objectsShare?: number;
  /** Each action counts with the size of its object. */
  readonly bytes?: number;
  /** US dollars to pay once for it, by the price cards (`PlanCost.now`). */
  readonly costUsd?: number;
  /** What all plans together may cost in a period; counted are those of the same policy. */
  readonly budget?: Budget;
}

/** `1000`, `100k` or `5%` → a bound on objects. Throws INVALID_DOCUMENT. */
export function parseObjectsLimit(text: string): Pick<PlanLimits, "objects" | "objectsShare"> {
  const percent = /^\s*(\d+(?:\.\d+)?)\s*%\s*$/.exec(text)?.[1];
  if (percent === undefined) return { objects: parseCount(text) };
  if (Number(percent) <= 100) return { objectsShare: Number(percent) / 100 };
  throw new EngineError("INVALID_DOCUMENT", `"${text}" is more than all objects`, {
    hint: "write at most 100%",
  });
}

/** Limits as people write them: `1000 objects, 5% of all objects, 20.0 TiB, 50.00 USD`. */
export function formatPlanLimits(limits: PlanLimits): string {
  const { objects, objectsShare, bytes, costUsd, budget } = limits;
  const parts = [
    objects === undefined ? undefined : `${objects} objects`,
    objectsShare === undefined ? undefined : `${shareText(objectsShare)} of all objects`,
    bytes === undefined ? undefined : formatSize(bytes),
    costUsd === undefined ? undefined : formatMoney(costUsd),
    budget === undefined ? undefined : formatBudget(budget),
  ];
  return parts.filter((part) => part !== undefined).join(", ");
}

/** How many objects a share of them allows: a part of an object counts as none, but one goes. */
export function objectsAllowed(share: number, objects: number): number {
  return share === 0 ? 0 : Math.max(1, Math.floor(objects * share));
}

/** A share (0 to 1) in percent. */
export function shareText(share: number): string {
  return `${Number((share * 100).toFixed(4))}%`;
}
