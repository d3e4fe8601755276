import type { IndexMark, LeaseHolder, LeaseRecord } from "#jobs/lease/lease-store.ts";

/** An index that a controller has found in its data directory, and no newer one was published. */
export interface FoundIndex {
  /** Of the newest term in it; 0 when no controller wrote it yet. */
  readonly epoch: number;
  /** Epoch of the newest published index; undefined where controllers share one directory. */
  readonly publishedEpoch: number | undefined;
  /** Whether it has what the mark tells that the last holder wrote. */
  readonly hasMarked: boolean;
}

/** What the queue store tells of earlier controllers. */
export interface LeaseAccount {
  /** The lease as it stood before it was taken. */
  readonly before: LeaseRecord;
  /** What was noted last, read once nobody else could note anything. */
  readonly mark: IndexMark | undefined;
}

/**
 * Whether that index holds everything that controllers wrote before, judged by what the lease
 * tells. What is not certain counts as no: then the permits of others are waited out
 * (docs/decisions/0147-an-index-that-is-put-back.md).
 */
export function knowsAll(
  { epoch, publishedEpoch, hasMarked }: FoundIndex,
  { before, mark }: LeaseAccount,
  holder: LeaseHolder,
): boolean {
  // Nobody issues a permit before the term and its mark are noted in both places: who took the
  // lease and died on the way there changes nothing.
  if (mark !== undefined && mark.term !== "") return hasMarked && mark.index === holder.index;
  if (mark === undefined && before.epoch > 0) {
    // An older version led last, which noted whose index it wrote, and the epoch in it.
    return before.holder?.index === holder.index && before.epoch <= epoch;
  }
  // Nobody led yet, or the store lost its record: then who led last was the last to publish. A
  // first term that was written and not noted any more says itself from when on permits may be.
  return epoch === 0 || publishedEpoch === epoch || hasMarked;
}

/**
 * The same where the queue lies in the data directory: nobody else leads there, but the file of
 * the index can be put back beside a queue that still has permits of later terms.
 */
export function knowsAllEmbedded(
  { epoch, hasMarked }: Pick<FoundIndex, "epoch" | "hasMarked">,
  { before, mark }: LeaseAccount,
): boolean {
  // An older version led last, and noted the epoch in the index.
  if (mark === undefined) return before.epoch <= epoch;
  return mark.term === "" || hasMarked;
}
