import { countAccesses } from "#index/count-accesses.ts";
import type { Database } from "#index/database.ts";
import { SharedWrites } from "#index/shared-writes.ts";
import { checkAccess } from "#index/stage-accesses.ts";
import type { Transaction } from "#index/transaction.ts";
import type { Access, AccessCounts, AccessSummary } from "#model/index-store.ts";

/** A fold of more holds up whoever waits for the next one, and takes their memory at once. */
const readsTogetherMax = 200_000;
const listsTogetherMax = 64;

/** Reads that count once, under a name. */
export interface ReadList {
  /** What they are known by: two of one name are never counted in one transaction. */
  readonly name: string;
  readonly reads: readonly Access[];
  /** What became of them if they were counted before; throws where they may not be counted. */
  known(transaction: Transaction): Promise<AccessCounts | undefined>;
  /** Notes that they are counted. */
  note(transaction: Transaction, counts: AccessCounts, now: Date): Promise<void>;
}

/**
 * Reads on their way into heat. The objects of ten lists are found in much the same time as those
 * of one, and they are written to the same parts of the index.
 */
export class SharedFolds {
  readonly #shared: SharedWrites<ReadList, AccessSummary>;

  constructor(database: Database, now: () => Date) {
    this.#shared = new SharedWrites(database, {
      fits,
      write: (transaction, lists) => countLists(transaction, lists, now()),
    });
  }

  /** Throws USAGE for a read without a sound time or weight, and what `known` throws. */
  async count(list: ReadList): Promise<AccessSummary> {
    list.reads.forEach(checkAccess);
    return await this.#shared.write(list);
  }
}

function fits(taken: readonly ReadList[], { name, reads }: ReadList): boolean {
  return (
    taken.length < listsTogetherMax &&
    taken.reduce((all, list) => all + list.reads.length, reads.length) <= readsTogetherMax &&
    !taken.some((list) => list.name === name)
  );
}

async function countLists(
  transaction: Transaction,
  lists: readonly ReadList[],
  now: Date,
): Promise<readonly PromiseSettledResult<AccessSummary>[]> {
  const results: PromiseSettledResult<AccessSummary>[] = [];
  const fresh: { readonly list: ReadList; readonly at: number }[] = [];
  for (const [at, list] of lists.entries()) {
    // It only reads: that one is refused changes nothing for the others.
    const [known] = await Promise.allSettled([list.known(transaction)]);
    if (known.status === "rejected") results[at] = known;
    else if (known.value === undefined) fresh.push({ list, at });
    else results[at] = fulfilled(known.value, true);
  }
  const reads = fresh.map(({ list }) => list.reads);
  const counts = await countAccesses(transaction, reads, now);
  for (const [place, { list, at }] of fresh.entries()) {
    const counted = counts[place] ?? { applied: 0, unknown: 0 };
    await list.note(transaction, counted, now);
    results[at] = fulfilled(counted, false);
  }
  if (counts.every(({ applied }) => applied === 0)) transaction.keepVersion();
  return results;
}

function fulfilled(counts: AccessCounts, repeated: boolean): PromiseFulfilledResult<AccessSummary> {
  return { status: "fulfilled", value: { ...counts, repeated } };
}
