import { randomUUID } from "node:crypto";
import type { Stats } from "node:fs";
import { link, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type BatchJournal, cursorOf, journalBegin } from "#engine/batches/batch-journal.ts";
import { batchDraftPrefix, type BatchRegistry } from "#engine/batches/batch-registry.ts";
import { EngineError } from "#model/engine-error.ts";
import type { BatchGcReport, BatchGcRequest, BatchRecord } from "#model/record-batch.ts";

/** What got its name so lately may not be told of yet. */
const defaultSettleMs = 60 * 1_000;
/** What nobody has written to for so long was left by somebody who died. */
const defaultLeftoverMs = 60 * 60 * 1_000;
const extension = ".arrow";

export interface CollectOptions extends BatchGcRequest {
  readonly now: Date;
  /** What stays whatever its age, and beside those that `keep` counts. */
  readonly inUse?: (batch: BatchRecord) => boolean;
  readonly settleMs?: number;
  readonly leftoverMs?: number;
}

/**
 * Gives up old batches, and what publishers left who died. Whoever reads a batch meanwhile, or
 * has it mapped, may go on: the file has no name any more, and goes when nobody has it open.
 */
export async function collectBatches(
  registry: BatchRegistry,
  options: CollectOptions,
): Promise<BatchGcReport> {
  const { olderThanMs, keep = 0, dryRun = false, inUse = () => false, now } = options;
  if (olderThanMs === undefined && options.keep === undefined) {
    throw new EngineError("USAGE", "nothing says which batches are too many", {
      hint: "give an age, a number of batches that stay, or both",
    });
  }
  // The files first: a record of what is renamed into place from now on may not be in the list.
  const files = await filesOf(registry);
  const batches = await registry.list();
  const named = new Set(batches.map(({ cid }) => `${cid}${extension}`));
  const before = now.getTime() - (olderThanMs ?? 0);
  const settled = systemTime() - (options.settleMs ?? defaultSettleMs);
  const tooOld = batches.slice(keep).filter(({ cid, created }) => {
    const file = files.get(`${cid}${extension}`);
    if (file === undefined || file.ctimeMs > settled) return false;
    return olderThanMs === undefined || Date.parse(created) < before;
  });
  const old = tooOld.filter((batch) => !inUse(batch));
  const left = systemTime() - (options.leftoverMs ?? defaultLeftoverMs);
  const leftovers = [...files].filter(([name, { ctimeMs }]) => !named.has(name) && ctimeMs < left);
  const removed: typeof old = [];
  for (const batch of old) {
    const file = files.get(`${batch.cid}${extension}`);
    if (dryRun || (await giveUp(registry, batch.cid, file))) removed.push(batch);
  }
  if (!dryRun) {
    for (const [name] of leftovers) await rm(join(registry.directory, name), { force: true });
    await dropSegments(registry);
  }
  return {
    kept: batches.length - removed.length,
    inUse: tooOld.length - old.length,
    removed: removed.map(({ cid }) => cid),
    bytesRemoved: removed.reduce((sum, { bytes }) => sum + bytes, 0),
    leftovers: leftovers.length,
  };
}

/** The file system's clock, which is this machine's and not the caller's. */
function systemTime(): number {
  return Date.now();
}

/** Batches and unfinished files, by name. */
async function filesOf({ directory }: BatchRegistry): Promise<ReadonlyMap<string, Stats>> {
  const names = await readdir(directory).catch(() => []);
  const found = names
    .filter((name) => name.endsWith(extension) || name.startsWith(batchDraftPrefix))
    .map(async (name) => [name, await stat(join(directory, name)).catch(() => undefined)] as const);
  const files = await Promise.all(found);
  return new Map(files.flatMap(([name, stats]) => (stats === undefined ? [] : [[name, stats]])));
}

/**
 * Takes a file away, unless it was published again since it was looked at: that is seen once it
 * cannot be replaced under this name any more, and then it gets the name back.
 */
async function giveUp(
  registry: BatchRegistry,
  cid: string,
  file: Stats | undefined,
): Promise<boolean> {
  const path = registry.path(cid);
  const gone = join(registry.directory, `${batchDraftPrefix}${randomUUID()}`);
  try {
    await rename(path, gone);
  } catch {
    // Somebody else gave it up.
    return false;
  }
  const again = (await stat(gone)).ino !== file?.ino;
  // When yet another one has the name by now, this one is not needed.
  if (again) await link(gone, path).catch(() => undefined);
  await rm(gone, { force: true });
  return !again;
}

/**
 * Drops the oldest segments of the journal while no batch is left of them. Only from the front:
 * the next segment being there is what tells others that one is closed.
 */
async function dropSegments(registry: BatchRegistry): Promise<void> {
  const { journal } = registry;
  for (const segment of journal.segments().slice(0, -1)) {
    if (await anyLeft(registry, journal, segment)) return;
    await rm(journal.path(segment), { force: true });
  }
}

async function anyLeft(
  registry: BatchRegistry,
  journal: BatchJournal,
  segment: number,
): Promise<boolean> {
  for (let place = { ...journalBegin, segment }; ;) {
    const { records, next } = journal.read(place);
    if (next.segment !== segment || cursorOf(next) === cursorOf(place)) return false;
    for (const { batch } of records) if (await registry.has(batch.cid)) return true;
    place = next;
  }
}
