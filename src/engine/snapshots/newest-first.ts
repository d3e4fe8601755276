import { isFromFuture } from "#model/from-future.ts";

/** What tells where a snapshot stands among others. */
export interface Ordered {
  readonly cid: string;
  /** ISO 8601, by the clock of whoever took it. */
  readonly takenAt: string;
  readonly commits: number;
  /** CID of the newest one of its installation that was there when it was taken. */
  readonly parent: string | undefined;
}

interface Standing {
  /** The latest credible time of the snapshot and of those that it follows. */
  readonly timeMs: number;
  /** So many that are here does it follow, one after the other. */
  readonly depth: number;
}

/**
 * Snapshots, the newest first. One that follows another is newer, whatever their times say: a
 * clock may have been ahead. Between those of which neither follows the other, times decide,
 * but for those that lie in the future.
 */
export function newestFirst<Snapshot>(
  snapshots: readonly Snapshot[],
  now: Date,
  about: (snapshot: Snapshot) => Ordered,
): readonly Snapshot[] {
  const all = snapshots.map((snapshot) => ({ snapshot, ...about(snapshot) }));
  const standings = standingsOf(all, now);
  const nowhere = { timeMs: -Infinity, depth: 0 };
  const standing = (cid: string): Standing => standings.get(cid) ?? nowhere;
  return all
    .toSorted((a, b) => {
      const [ours, theirs] = [standing(a.cid), standing(b.cid)];
      return (
        compare(theirs.timeMs, ours.timeMs) ||
        compare(theirs.depth, ours.depth) ||
        compare(Date.parse(b.takenAt), Date.parse(a.takenAt)) ||
        compare(b.commits, a.commits) ||
        compare(a.cid, b.cid)
      );
    })
    .map(({ snapshot }) => snapshot);
}

function standingsOf(all: readonly Ordered[], now: Date): ReadonlyMap<string, Standing> {
  const byCid = new Map(all.map((one) => [one.cid, one]));
  const standings = new Map<string, Standing>();
  for (const last of all) {
    const line: Ordered[] = [];
    let next: Ordered | undefined = last;
    // A manifest names its parent by a hash, so that no line can come back to itself.
    while (next !== undefined && !standings.has(next.cid)) {
      line.push(next);
      next = next.parent === undefined ? undefined : byCid.get(next.parent);
    }
    let before = next === undefined ? undefined : standings.get(next.cid);
    for (const one of line.toReversed()) {
      const ownMs = isFromFuture(one.takenAt, now) ? -Infinity : Date.parse(one.takenAt);
      before = {
        timeMs: Math.max(ownMs, before?.timeMs ?? -Infinity),
        depth: (before?.depth ?? 0) + 1,
      };
      standings.set(one.cid, before);
    }
  }
  return standings;
}

function compare<Value extends number | string>(a: Value, b: Value): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
