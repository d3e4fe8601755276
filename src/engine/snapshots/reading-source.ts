import type { EngineContext } from "#engine/context.ts";
import type { SnapshotDesk } from "#engine/snapshots/snapshot-desk.ts";
import { EngineError } from "#model/engine-error.ts";
import type { SnapshotReference } from "#model/index-snapshot.ts";

/** What lists, reports and plans need: an index and a clock, and what the files here say. */
export type ReadingSource = Pick<
  EngineContext,
  "config" | "version" | "registry" | "policies" | "index" | "now" | "moment"
> & {
  /** CID of the snapshot that is read in the place of the index. */
  readonly snapshot?: string;
};

/** The index itself, or a snapshot; to be disposed of. */
export type Reading = ReadingSource & AsyncDisposable;

/** Where no index is, only snapshots can be read. */
export type Readable = Omit<ReadingSource, "index" | "now" | "moment"> &
  Partial<Pick<ReadingSource, "index" | "now" | "moment">> & { readonly snapshots: SnapshotDesk };

/**
 * Opens what is to be read. With a snapshot, backends, cordons and heat are those of its index,
 * and the clock stands at the time it was taken: the same question has the same answer for ever.
 * Policies are those of today.
 */
export async function readingSource(
  source: Readable,
  reference: SnapshotReference | undefined,
): Promise<Reading> {
  const { config, version, registry, policies, index, now, moment } = source;
  const settings = { config, version, registry, policies };
  if (reference === undefined) {
    if (index === undefined || now === undefined || moment === undefined) throw noIndex();
    return { ...settings, index, now, moment, [Symbol.asyncDispose]: nothing };
  }
  const { opened, summary } = await source.snapshots.open(reference);
  const then = opened.index;
  return {
    ...settings,
    index: then,
    now: () => new Date(summary.takenAt),
    moment: async (at) => ({ now: at, backends: await then.backends(at), heat: await then.heat() }),
    snapshot: summary.cid,
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

function nothing(): Promise<void> {
  return Promise.resolve();
}

function noIndex(): EngineError {
  return new EngineError("USAGE", "there is no index here, only snapshots", {
    hint: "name a snapshot with --snapshot",
  });
}
