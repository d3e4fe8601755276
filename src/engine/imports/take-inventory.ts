import { join } from "node:path";
import { dataPaths } from "#config/data-paths.ts";
import type { EngineContext } from "#engine/context.ts";
import type { InventoryStep } from "#index/inventories/inventory-store.ts";
import { EngineError } from "#model/engine-error.ts";
import type { InventoryProgress, InventoryRequest } from "#model/inventory.ts";

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
  { backend, dryRun = false, restart = false }: InventoryRequest,
): AsyncGenerator<InventoryProgress> {
  const folder = join(
    dataPaths(context.config.dataDirectory).imports,
    `inventory-${encodeURIComponent(backend)}`,
  );
  const driver = await context.pool.driver(backend);
  if (underWay.has(folder)) {
    throw new EngineError("LOCKED", `an inventory of ${backend} is being taken already`, {
      hint: "wait until it has ended: `thermocline drift` then says what it found",
    });
  }
  underWay.add(folder);
  try {
    const begunAt = context.now();
    const steps = context.index.inventories.take({
      backend,
      source: "listing",
      folder,
      begunAt,
      dryRun,
      restart,
      isLate: false,
      look: (object) => driver.stat(object),
      entries: (cursor) => driver.list(cursor === undefined ? {} : { cursor }),
    });
    for await (const step of steps) yield progressOf(step, context.now(), begunAt);
  } finally {
    underWay.delete(folder);
  }
}

function progressOf(step: InventoryStep, now: Date, startedAt: Date): InventoryProgress {
  const { found, ...counts } = step;
  const elapsedMs = now.getTime() - startedAt.getTime();
  const progress = { ...counts, elapsedMs };
  if (found === undefined) return { type: "progress", ...progress };
  const { begunAt, ...drift } = found;
  const times = { begunAt: begunAt.toISOString(), endedAt: now.toISOString() };
  return {
    type: "summary",
    ...progress,
    report: { ...drift, ...times, source: "listing", foreign: counts.foreign },
  };
}
