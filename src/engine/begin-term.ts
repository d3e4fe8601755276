import { randomUUID } from "node:crypto";
import type { Config } from "#config.ts";
import { dataPaths } from "#config/data-paths.ts";
import type { PublishedIndexes } from "#engine/published-indexes.ts";
import { knowsAll, knowsAllEmbedded } from "#engine/knows-all.ts";
import { newerSnapshots, restoreIndex } from "#engine/restore-index.ts";
import type { Turn } from "#engine/take-turn.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import type { Term } from "#index/terms.ts";
import type { IndexMark, LeaseHolder } from "#jobs/lease/lease-store.ts";
import { EngineError } from "#model/engine-error.ts";
import { permitMarginMs } from "#model/removal.ts";

export interface TermOptions {
  readonly config: Config;
  readonly holder: LeaseHolder;
  readonly snapshots: PublishedIndexes | undefined;
  /** Opens the index again after a newer one was put in its place; without it none is. */
  readonly reopen: (() => Promise<ObjectIndex>) | undefined;
  readonly now: () => Date;
  readonly onError: (error: EngineError) => void;
}

/** The index as the new term finds it, and the term that is to be noted there. */
export interface Beginning {
  readonly index: ObjectIndex;
  readonly term: Term;
}

/**
 * Finds the newest index there is, and from when on permits may be issued with it
 * (docs/decisions/0072-takeover.md): at once when it holds everything that earlier controllers
 * wrote, else when every permit that it may not know has run out.
 */
export async function beginTerm(turn: Turn, options: TermOptions): Promise<Beginning> {
  const { config, holder, now } = options;
  const found = await findIndex(turn, options);
  const { index } = found;
  const last = await index.terms.latest();
  // A store that lost its record counts anew: the index knows better.
  if (last !== undefined && last.epoch >= turn.lease.epoch) await turn.lease.raise(last.epoch);
  const { permitTtlMs } = config.safety;
  const { complete } = found;
  const term = {
    epoch: turn.lease.epoch,
    node: holder.node,
    began: now(),
    permitTtlMs,
    permitsFrom: firstPermitAt(
      { last, longestTtlMs: await index.terms.longestPermitTtlMs() },
      complete,
      config.safety,
      now(),
    ),
    complete,
    mark: randomUUID(),
  };
  return { index, term };
}

async function findIndex(
  { index, before, lease }: Turn,
  options: TermOptions,
): Promise<{ readonly index: ObjectIndex; readonly complete: boolean }> {
  const { config, holder, snapshots, reopen, onError } = options;
  const mark = await lease.lastMark();
  const hasMarked = mark !== undefined && (await has(index, mark));
  const last = await index.terms.latest();
  if (config.queue.url === "embedded") {
    const foundIndex = { epoch: last?.epoch ?? 0, hasMarked };
    return { index, complete: knowsAllEmbedded(foundIndex, { before, mark }) };
  }
  const state = { epoch: last?.epoch ?? 0, commits: await index.version() };
  const newer = snapshots === undefined ? [] : await newerSnapshots(snapshots, state);
  const [newest] = newer;
  if (newest === undefined) {
    const publishedEpoch =
      snapshots === undefined ? undefined : ((await snapshots.list())[0]?.epoch ?? 0);
    const foundIndex = { epoch: state.epoch, publishedEpoch, hasMarked };
    return { index, complete: knowsAll(foundIndex, { before, mark }, holder) };
  }
  if (snapshots === undefined || reopen === undefined) throw tooOld(state.epoch);
  await index.close();
  const path = dataPaths(config.dataDirectory).index;
  const restored = await restoreIndex(snapshots, state, path, onError);
  // An older one, taken because the newest is damaged, lacks what came after it.
  const complete =
    restored?.final === true && restored.epoch >= Math.max(before.epoch, newest.epoch);
  return { index: await reopen(), complete };
}

/** Of a first term it is enough that it was written; see `writeTerm`. */
async function has(index: ObjectIndex, mark: IndexMark): Promise<boolean> {
  if (mark.term !== "") return await index.terms.has(mark);
  return mark.next !== undefined && (await index.terms.latest())?.mark === mark.next;
}

/** What the index tells of the terms before. */
export interface EarlierTerms {
  readonly last: Pick<Term, "permitsFrom"> | undefined;
  readonly longestTtlMs: number;
}

/** The moment from which on no permit can be in use that the index does not know. */
export function firstPermitAt(
  { last, longestTtlMs }: EarlierTerms,
  complete: boolean,
  { permitTtlMs, clockSkewMs }: Pick<Config["safety"], "permitTtlMs" | "clockSkewMs">,
  now: Date,
): Date {
  const longest = Math.max(longestTtlMs, permitTtlMs) + permitMarginMs(clockSkewMs);
  // A clock that is right again may find a time noted that is years away: nothing waits longer
  // than permits can be in use, and once more that, should the settings have been larger before.
  const earlier = Math.min(last?.permitsFrom.getTime() ?? 0, now.getTime() + 2 * longest);
  return new Date(complete ? earlier : Math.max(earlier, now.getTime() + longest));
}

function tooOld(epoch: number): EngineError {
  return new EngineError(
    "LOCKED",
    `the index of this data directory is of epoch ${epoch}; a newer one was published`,
    { hint: "talk to the active controller (api.url), or start `thermocline controller` here" },
  );
}
