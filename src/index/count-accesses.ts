import { foldAccesses } from "#index/fold-accesses.ts";
import { checkAccess, stageAccesses } from "#index/stage-accesses.ts";
import type { Transaction } from "#index/transaction.ts";
import type { Access, AccessCounts } from "#model/index-store.ts";

/** Counts lists of reads at once, and says of each what became of its reads. */
export async function countAccesses(
  transaction: Transaction,
  lists: readonly (readonly Access[])[],
  now: Date,
): Promise<readonly AccessCounts[]> {
  for (const accesses of lists) accesses.forEach(checkAccess);
  const none = { applied: 0, unknown: 0 };
  if (lists.every((accesses) => accesses.length === 0)) return lists.map(() => none);
  await stageAccesses(transaction, lists, now);
  const all = await foldAccesses(transaction, now);
  if (lists.length === 1) return [all];
  const counts = lists.map((): AccessCounts => none);
  const rows = await transaction.rows<{ list: number; applied: number; unknown: number }>(countsOf);
  for (const { list, applied, unknown } of rows) counts[list] = { applied, unknown };
  return counts;
}

const countsOf = `
  SELECT list, count(object_id) AS applied, count(*) - count(object_id) AS unknown
  FROM resolved_accesses GROUP BY list`;
