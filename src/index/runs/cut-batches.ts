import { EngineError } from "#model/engine-error.ts";
import type { ColumnBatch } from "#model/sql.ts";
import { batchBytesMax, batchObjectsMax } from "#model/run.ts";

/** Consecutive actions of a plan that share policy, verb, source, target and victim. */
export interface BatchRange {
  readonly policy: string;
  readonly verb: string;
  readonly source: number | null;
  readonly target: number | null;
  readonly victim: number | null;
  readonly first: number;
  /** One past the last sequence. */
  past: number;
  /** Bytes of the objects. */
  bytes: number;
}

// Removals carry no content, but each may have to re-read the copies that remain.
const removalBytesMax = 64 * batchBytesMax;

/** Columns that `cutBatches` reads, in this order. */
export const cutColumns = "sequence, verb, source, target, victim, size, split_part(rule, '/', 1)";

/**
 * Cuts the actions, which come in the order of their sequence, into batches: a batch ends where
 * the kind of action changes, at 1,000 objects, or before its bytes would pass the bound, so
 * that a larger object travels alone.
 */
export async function cutBatches(rows: AsyncIterable<ColumnBatch>): Promise<BatchRange[]> {
  const batches: BatchRange[] = [];
  let open: BatchRange | undefined;
  for await (const { rows: count, columns } of rows) {
    const [sequences, verbs, sources, targets, victims, sizes, policies] = columns as readonly [
      ArrayLike<number>,
      ArrayLike<string>,
      ArrayLike<number | null>,
      ArrayLike<number | null>,
      ArrayLike<number | null>,
      ArrayLike<number>,
      ArrayLike<string>,
    ];
    for (let row = 0; row < count; row += 1) {
      const next: BatchRange = {
        first: sequences[row] ?? 0,
        past: (sequences[row] ?? 0) + 1,
        policy: policies[row] ?? "",
        verb: verbs[row] ?? "",
        source: sources[row] ?? null,
        target: targets[row] ?? null,
        victim: victims[row] ?? null,
        bytes: sizes[row] ?? 0,
      };
      if (next.first !== (open?.past ?? 0)) {
        throw new EngineError("INTERNAL", `action ${next.first} of a plan is out of its place`);
      }
      if (open !== undefined && fits(open, next)) {
        open.past = next.past;
        open.bytes += next.bytes;
      } else {
        open = next;
        batches.push(next);
      }
    }
  }
  return batches;
}

function fits(open: BatchRange, next: BatchRange): boolean {
  const bytesMax = open.target === null ? removalBytesMax : batchBytesMax;
  return (
    open.policy === next.policy &&
    open.verb === next.verb &&
    open.source === next.source &&
    open.target === next.target &&
    open.victim === next.victim &&
    open.past - open.first < batchObjectsMax &&
    open.bytes + next.bytes <= bytesMax
  );
}
