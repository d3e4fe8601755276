import { join } from "node:path";
import { dataPaths } from "#config/data-paths.ts";
import type { EngineContext } from "#engine/context.ts";
import { askForLocks, type LockQuestions } from "#engine/imports/ask-for-locks.ts";
import { BucketInventory } from "#engine/imports/bucket-inventory.ts";
import { listingFolder } from "#engine/imports/give-up-listings.ts";
import { LocalInventory } from "#engine/imports/local-inventory.ts";
import { openS3Inventory, type RowReader, s3Entries } from "#engine/imports/s3-inventory.ts";
import type { InventorySource, InventoryStep } from "#index/inventories/inventory-store.ts";
import { isBucketUrl } from "#model/bucket-url.ts";
import type { Driver } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import type { AskedLocks, InventoryProgress, InventoryRequest } from "#model/inventory.ts";

/** What of the engine an inventory needs. */
export interface InventoryContext {
  readonly index: Pick<EngineContext["index"], "inventories">;
  readonly pool: Pick<EngineContext["pool"], "driver">;
  readonly config: Pick<EngineContext["config"], "dataDirectory">;
  readonly now: () => Date;
}

/** Backends whose inventory is being taken: two at a time would write to the same files. */
const underWay = new Set<string>();

/**
 * Lists a backend, compares that with what the index believes, corrects the index and keeps what
 * was different. An inventory that was cut off goes on behind what it had listed.
 */
export async function* takeInventory(
  context: InventoryContext,
  { backend, s3Inventory, dryRun = false, restart = false }: InventoryRequest,
): AsyncGenerator<InventoryProgress> {
  const folder = listingFolder(context.config.dataDirectory, backend);
  const driver = await context.pool.driver(backend);
  if (underWay.has(folder)) {
    throw new EngineError("LOCKED", `an inventory of ${backend} is being taken already`, {
      hint: "wait until it has ended: `thermocline drift` then says what it found",
    });
  }
  underWay.add(folder);
  try {
    const startedAt = context.now();
    const origin =
      s3Inventory === undefined
        ? listingOf(driver, startedAt)
        : await s3InventoryOf(context, backend, driver, s3Inventory);
    const steps = context.index.inventories.take({
      ...origin,
      backend,
      folder,
      dryRun,
      restart,
      look: (object) => driver.stat(object),
    });
    for await (const step of steps) {
      const progress = progressOf(step, origin.source, context.now(), startedAt);
      if (progress.type !== "summary") {
        yield progress;
        continue;
      }
      const unfinished = origin.isLate ? undefined : await driver.clearUnfinished?.({ dryRun });
      const asksLocks = !dryRun && step.found !== undefined;
      const locks = asksLocks
        ? yield* lockSteps(context, { driver, backend, begunAt: step.found.begunAt }, progress)
        : undefined;
      yield {
        ...progress,
        ...(unfinished === undefined ? {} : { unfinished }),
        ...(locks === undefined ? {} : { locks }),
      };
    }
  } finally {
    underWay.delete(folder);
  }
}

/** Asks the backend about its locks, as a part of the inventory that has just ended. */
async function* lockSteps(
  { index, now }: InventoryContext,
  asked: Pick<LockQuestions, "driver" | "backend" | "begunAt">,
  progress: InventoryProgress,
): AsyncGenerator<InventoryProgress, AskedLocks | undefined> {
  const { report: _, ...soFar } = progress;
  const asking = askForLocks({ ...asked, index, now });
  try {
    for (;;) {
      const { done, value } = await asking.next();
      if (done === true) return value;
      yield { ...soFar, type: "progress", phase: "checking" };
    }
  } finally {
    await asking.return(undefined);
  }
}

type Origin = Pick<InventorySource, "source" | "begunAt" | "isLate" | "entries">;

function listingOf(driver: Driver, begunAt: Date): Origin {
  return {
    source: "listing",
    begunAt,
    isLate: false,
    entries: (cursor, knownBytes) =>
      driver.list(cursor === undefined ? { knownBytes } : { cursor, knownBytes }),
  };
}

/** An S3 Inventory is hours old and may lack what was stored or removed shortly before it. */
async function s3InventoryOf(
  { index, config }: InventoryContext,
  backend: string,
  { inventoryFiles }: Driver,
  manifest: string,
): Promise<Origin> {
  if (inventoryFiles === undefined) {
    throw new EngineError("NOT_SUPPORTED", `the driver of ${backend} knows no S3 Inventory`, {
      hint: `thermocline import inventory ${backend} lists it`,
    });
  }
  const fetched = `s3-inventory-${encodeURIComponent(backend)}`;
  const folder = join(dataPaths(config.dataDirectory).imports, fetched);
  const place = isBucketUrl(manifest)
    ? await BucketInventory.find(inventoryFiles, manifest, folder)
    : new LocalInventory(manifest);
  const inventory = await openS3Inventory(place);
  if (inventory.bucket !== inventoryFiles.bucket) {
    const { bucket } = inventory;
    const lists = `${place.name} lists the bucket ${bucket}`;
    throw new EngineError("USAGE", `${lists}, not that of ${backend}`, {
      hint: `${backend} is the bucket ${inventoryFiles.bucket}`,
    });
  }
  const read: RowReader = (file, options) => index.inventories.rows(file, options);
  return {
    source: inventory.source,
    begunAt: inventory.createdAt,
    isLate: true,
    entries: (cursor) => s3Entries(inventory, inventoryFiles, read, cursor),
  };
}

function progressOf(
  step: InventoryStep,
  source: string,
  now: Date,
  startedAt: Date,
): InventoryProgress {
  const { found, earlierBegunAt, ...steps } = step;
  const since = earlierBegunAt?.toISOString();
  const counts = { ...steps, ...(since === undefined ? {} : { earlierBegunAt: since }) };
  const elapsedMs = now.getTime() - startedAt.getTime();
  const progress = { ...counts, elapsedMs };
  if (found === undefined) return { type: "progress", ...progress };
  const { begunAt, ...drift } = found;
  const times = { begunAt: begunAt.toISOString(), endedAt: now.toISOString() };
  return {
    type: "summary",
    ...progress,
    report: { ...drift, ...times, source, foreign: counts.foreign },
  };
}
