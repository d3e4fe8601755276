import { EngineError } from "#model/engine-error.ts";
import type { SnapshotReference } from "#model/index-snapshot.ts";

/** What a snapshot can be told by. */
export interface Choosable {
  readonly cid: string;
  /** ISO 8601. */
  readonly takenAt: string;
}

/** The snapshot that a reference means, of those in `place`, the newest first. */
export function chooseSnapshot<Snapshot extends Choosable>(
  snapshots: readonly Snapshot[],
  reference: SnapshotReference,
  place: string,
): Snapshot {
  const matching = candidates(snapshots, reference);
  const [found] = matching;
  if (found !== undefined && matching.length === 1) return found;
  const what =
    matching.length > 1
      ? `${matching.length} snapshots begin with "${reference}"`
      : `no snapshot is ${isTime(reference) ? "as old as" : ""} "${reference}"`;
  throw new EngineError("NOT_FOUND", `${what} in ${place}`.replaceAll("  ", " "), {
    hint:
      "`thermocline index snapshot ls` lists them; `--on BACKEND` those on a backend; name one of " +
      "another installation, or one that was only fetched to be asked, by its CID",
  });
}

/** Those of the only installation that there is. Throws CONFLICT. */
export function ofOneInstallation<
  Snapshot extends { readonly cid: string; readonly installation: string },
>(snapshots: readonly Snapshot[], place: string): readonly Snapshot[] {
  const newest = new Map<string, string>();
  for (const { installation, cid } of snapshots) {
    if (!newest.has(installation)) newest.set(installation, cid);
  }
  if (newest.size <= 1) return snapshots;
  throw new EngineError("CONFLICT", `${newest.size} installations keep snapshots in ${place}`, {
    retryable: false,
    hint: `say which by its CID; the newest are ${[...newest.values()].join(", ")}`,
  });
}

function candidates<Snapshot extends Choosable>(
  snapshots: readonly Snapshot[],
  reference: SnapshotReference,
): readonly Snapshot[] {
  if (reference === "newest") return snapshots.slice(0, 1);
  if (!isTime(reference)) return snapshots.filter(({ cid }) => cid.startsWith(reference));
  const time = Date.parse(reference);
  if (Number.isNaN(time)) {
    throw new EngineError("USAGE", `"${reference}" is not a time`, {
      hint: "write it as 2026-11-21 or 2026-11-21T08:00:00Z",
    });
  }
  // They follow each other by their parents: one by a clock that was behind may be the newest.
  const before = snapshots.filter(({ takenAt }) => Date.parse(takenAt) <= time);
  const latest = Math.max(...before.map(({ takenAt }) => Date.parse(takenAt)));
  return before.filter(({ takenAt }) => Date.parse(takenAt) === latest).slice(0, 1);
}

/** CIDs begin with a letter. */
function isTime(reference: SnapshotReference): boolean {
  return /^\d/.test(reference);
}
