import type { Backend } from "#model/backend.ts";
import { priceShares } from "#model/cost-sql.ts";
import type { Verb } from "#model/plan.ts";

/** Rows that do the same from and to the same backends (ids). */
export interface PricedGroup {
  readonly verb: Verb;
  readonly source: number | null;
  readonly target: number | null;
  readonly victim: number | null;
  readonly actions: number;
  readonly bytes: number;
  /** Of the actions, those that write a copy, and their bytes. */
  readonly writes: number;
  readonly bytesMoved: number;
}

/** Shares of a dollar: at once, and by which a month gets dearer. */
export interface GroupCost {
  readonly now: bigint;
  readonly month: bigint;
}

/**
 * Whether what rows cost follows from how many they are and their bytes together: no backend
 * charges for bytes or for time that is not used.
 */
export function isCostOfSums(backends: readonly Backend[]): boolean {
  return backends.every(({ price }) => price.minimumBytes === 0 && price.minimumDurationMs === 0);
}

/** What the rows of a group cost together, where that follows from their sums: see `actionCost`. */
export function groupCost(
  backends: readonly Backend[],
  { verb, source, target, victim, actions, bytes, writes, bytesMoved }: PricedGroup,
): GroupCost {
  const priceOf = (id: number | null) => {
    const backend = backends.find((one) => one.id === id);
    return backend === undefined ? undefined : priceShares(backend.price);
  };
  const [from, to, gone] = [priceOf(source), priceOf(target), priceOf(victim)];
  // An export reads each object and writes no copy.
  const reads = verb === "export-car" ? actions : writes;
  const bytesRead = verb === "export-car" ? bytes : bytesMoved;
  return {
    now:
      BigInt(reads) * (from?.perRead ?? 0n) +
      BigInt(bytesRead) * (from?.perByteRead ?? 0n) +
      BigInt(writes) * (to?.perWrite ?? 0n),
    month:
      BigInt(bytesMoved) * (to?.perByteMonth ?? 0n) - BigInt(bytes) * (gone?.perByteMonth ?? 0n),
  };
}
