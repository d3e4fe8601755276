import type { LeaseHolder, LeaseRecord } from "#jobs/lease/lease-store.ts";

/** An index that a controller has found in its data directory, and no newer one was published. */
export interface FoundIndex {
  /** Of the newest term in it; 0 when no controller wrote it yet. */
  readonly epoch: number;
  /** Epoch of the newest published index; undefined where controllers share one directory. */
  readonly publishedEpoch: number | undefined;
}

/**
 * Whether that index holds everything that controllers wrote before, judged by the lease as it
 * stood. What is not certain counts as no: then the permits of others are waited out.
 */
export function knowsAll(
  { epoch, publishedEpoch }: FoundIndex,
  before: LeaseRecord,
  holder: LeaseHolder,
): boolean {
  const apart = publishedEpoch !== undefined;
  if (before.epoch === 0 || before.holder === undefined) {
    // Nobody led yet, or the store lost its record: then who led last was the last to publish.
    return epoch === 0 || !apart || publishedEpoch === epoch;
  }
  // Another directory, be it a copy of this one, was written since.
  if (before.holder.index !== holder.index) return false;
  if (before.epoch <= epoch) return true;
  // The last holder died before it wrote its term. Where indexes are apart, it may have put one
  // here of which nothing else says whether it holds everything.
  return !apart && before.epoch === epoch + 1;
}
