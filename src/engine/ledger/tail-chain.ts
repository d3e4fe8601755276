import type { LedgerTail } from "#engine/ledger/ledger-tail.ts";

/** Where an index ends, and what its own entries are. */
export interface LedgerEnd {
  readonly last: number;
  /** Checks of its entries. */
  readonly checks: ReadonlyMap<number, string>;
}

/** Entries before which these tails begin: whose checks `tailsAfter` has to know. */
export function entriesBefore(tails: readonly LedgerTail[], last: number): readonly number[] {
  return [...new Set(tails.map(({ first }) => first - 1))].filter((entry) => entry <= last);
}

/**
 * The tails that go on where an index ends, in order and without a gap. Where several do, since an
 * index was restored more than once, those that were written to last.
 */
export function tailsAfter(
  tails: readonly LedgerTail[],
  { last, checks }: LedgerEnd,
): readonly LedgerTail[] {
  const newestFirst = tails
    .filter((tail) => tail.last > last)
    .toSorted((a, b) => compare(b.writtenAt, a.writtenAt) || b.last - a.last);
  const byEnd = Map.groupBy(newestFirst, endOf);
  for (const end of newestFirst) {
    const chain = [end];
    let first: LedgerTail | undefined = end;
    while (first !== undefined && first.first > last + 1) {
      const from: LedgerTail = first;
      first = byEnd.get(`${from.first - 1} ${from.before}`)?.[0];
      if (first !== undefined) chain.unshift(first);
    }
    if (first !== undefined && checks.get(first.first - 1) === first.before) return chain;
  }
  return [];
}

function endOf({ last, after }: LedgerTail): string {
  return `${last} ${after}`;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
