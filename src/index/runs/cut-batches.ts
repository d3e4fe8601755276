import { EngineError } from "#model/engine-error.ts";
import type { ColumnBatch } from "#model/sql.ts";
import { isHandedOut } from "#model/run-order.ts";
import { batchBytesMax, batchObjectsMax } from "#model/run.ts";

/** What the actions of a batch have in common. */
export interface BatchKind {
  readonly policy: string;
  readonly verb: string;
  readonly source: number | null;
  readonly target: number | null;
  readonly victim: number | null;
  /** Only where each rule has something else done: then its batches are its own. */
  readonly rule?: string | null;
}

/** Consecutive actions of a plan of one kind. */
export interface BatchRange extends BatchKind {
  readonly first: number;
  /** One past the last sequence. */
  past: number;
  /** Bytes of the objects. */
  bytes: number;
}

// Removals carry no content, but each may have to re-read the copies that remain.
const removalBytesMax = 64 * batchBytesMax;

/**
 * Cuts the actions, which come in the order of their sequence, into batches: a batch ends where
 * the kind of action changes, at 1,000 objects, or before its bytes would pass the bound, so
 * that a larger object travels alone. The columns are numbers without nulls: the sequence, the
 * place of the kind in `kinds`, and the size. Two places may hold the same kind.
 */
export async function cutBatches(
  rows: AsyncIterable<ColumnBatch>,
  kinds: readonly BatchKind[],
): Promise<BatchRange[]> {
  const batches: BatchRange[] = [];
  const same = firstOfEach(kinds);
  let open: BatchRange | undefined;
  let openKind: BatchKind | undefined;
  let past = 0;
  for await (const { rows: count, columns } of rows) {
    const [sequences, places, sizes] = columns as readonly [Numbers, Numbers, Numbers];
    for (let row = 0; row < count; row += 1) {
      const kind = same[places[row] ?? -1];
      const bytes = sizes[row] ?? 0;
      if (sequences[row] !== past || kind === undefined) {
        throw new EngineError("INTERNAL", `action ${sequences[row]} of a plan is out of its place`);
      }
      past += 1;
      if (open !== undefined && kind === openKind && fits(open, bytes)) {
        open.past = past;
        open.bytes += bytes;
      } else {
        open = { ...kind, first: past - 1, past, bytes };
        openKind = kind;
        batches.push(open);
      }
    }
  }
  return batches;
}

type Numbers = ArrayLike<number>;

/** For each place the first kind that is equal, so that kinds are compared as what they are. */
function firstOfEach(kinds: readonly BatchKind[]): readonly BatchKind[] {
  const known = new Map<string, BatchKind>();
  return kinds.map((kind) => {
    const { policy, verb, source, target, victim, rule = null } = kind;
    const key = JSON.stringify([policy, verb, source, target, victim, rule]);
    const first = known.get(key) ?? kind;
    known.set(key, first);
    return first;
  });
}

function fits(open: BatchRange, bytes: number): boolean {
  // Only names of the objects travel to where nothing but names is wanted.
  if (isHandedOut(open.verb)) return open.past - open.first < batchObjectsMax;
  const bytesMax = open.target === null ? removalBytesMax : batchBytesMax;
  return open.past - open.first < batchObjectsMax && open.bytes + bytes <= bytesMax;
}
