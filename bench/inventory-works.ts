import { rm } from "node:fs/promises";
import { takeInventory } from "#engine/imports/take-inventory.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import type { Driver, ListedCopy } from "#model/driver.ts";
import type { InventoryReport } from "#model/inventory.ts";
import { localFacts } from "./copy-plan.ts";
import { sampleCid } from "./sample-objects.ts";

const backend = "listed";
/** Of the next inventory: one copy of so many is lost, one is changed, and one is new. */
const differsEach = 100;
const sizes = 100_000;

/** An inventory of so many copies, of which the index knows none. */
export async function takeFirstInventory(
  index: ObjectIndex,
  out: string,
  copies: number,
): Promise<InventoryReport> {
  await index.syncBackends([localFacts(backend)]);
  return await take(index, out, () => listed(0, copies));
}

/** The next one, of which some copies are lost, some changed, and some new. */
export async function takeNextInventory(
  index: ObjectIndex,
  out: string,
  copies: number,
): Promise<InventoryReport> {
  return await take(index, out, async function* list() {
    for await (const one of listed(0, copies)) {
      const { number, ...copy } = one;
      if (number % differsEach === 0) continue;
      const bytes = number % differsEach === 1 ? copy.copy.bytes + 1 : copy.copy.bytes;
      yield { ...one, copy: { ...copy.copy, bytes } };
    }
    yield* listed(copies, copies + Math.ceil(copies / differsEach));
  });
}

async function* listed(
  from: number,
  to: number,
): AsyncGenerator<ListedCopy & { readonly number: number }> {
  for (let number = from; number < to; number += 1) {
    const cid = sampleCid(number).toString();
    const size = 1 + (number % sizes);
    const copy = { locator: cid, form: "dag", bytes: size } as const;
    yield { number, cid, copy, size, cursor: String(number) };
  }
  await Promise.resolve();
}

async function take(
  index: ObjectIndex,
  out: string,
  list: () => AsyncIterable<ListedCopy>,
): Promise<InventoryReport> {
  const driver = { list, stat: () => Promise.resolve(undefined) } as unknown as Driver;
  const context = {
    index,
    pool: { driver: () => Promise.resolve(driver) },
    config: { dataDirectory: out },
    now: () => new Date(),
  };
  try {
    for await (const { report } of takeInventory(context, { backend, restart: true })) {
      if (report !== undefined) return report;
    }
  } finally {
    await rm(out, { recursive: true, force: true });
  }
  throw new Error("the inventory has no end");
}
