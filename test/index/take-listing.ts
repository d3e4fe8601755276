import type {
  InventorySource,
  InventoryStep,
  ListedEntry,
} from "#index/inventories/inventory-store.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import { cidOf, copyOn, start } from "./open-index.ts";

/** When listings begin. */
export const begunAt = new Date(start.getTime() + 3_600_000);

/** A copy as a backend lists it. */
export function entry(number: number, bytes?: number): ListedEntry {
  return copyEntry(number, bytes);
}

export function copyEntry(number: number, bytes = copyOn("hot").copy.bytes) {
  const copy = { locator: `place/${number}`, form: "file", bytes } as const;
  return { cid: cidOf(number), copy, size: bytes, cursor: String(number).padStart(4, "0") };
}

/** Something that is no copy of ours. */
export const foreign = (cursor: string): ListedEntry => ({ foreign: true, cursor });

/** A backend that lists in the order of cursors, and breaks down behind so many entries. */
export function lister(entries: readonly ListedEntry[], breaksAfter = Infinity) {
  const asked: (string | undefined)[] = [];
  async function* list(cursor: string | undefined) {
    asked.push(cursor);
    await Promise.resolve();
    let told = 0;
    for (const one of entries.toSorted((a, b) => (a.cursor < b.cursor ? -1 : 1))) {
      if (cursor !== undefined && one.cursor <= cursor) continue;
      if (told === breaksAfter) throw new Error("connection lost");
      told += 1;
      yield one;
    }
  }
  return { asked, list };
}

/** A backend that has nothing when it is asked. */
export const nothing = () => Promise.resolve(undefined);

/** Takes an inventory of `hot`; its last step. */
export async function take(
  index: ObjectIndex,
  folder: string,
  list: InventorySource["entries"],
  more: Partial<InventorySource> = {},
): Promise<InventoryStep> {
  const source = { backend: "hot", source: "listing", folder, begunAt };
  const flags = { dryRun: false, restart: false, isLate: false, partEntries: 2, look: nothing };
  const steps = await Array.fromAsync(
    index.inventories.take({ ...source, ...flags, entries: list, ...more }),
  );
  const last = steps.at(-1);
  if (last === undefined) throw new Error("an inventory has steps");
  return last;
}

/** What the newest inventory found different. */
export async function differences(index: ObjectIndex): Promise<readonly unknown[]> {
  await using session = await index.session();
  return await session.rows({
    text: `SELECT kind, detail, object_id AS id, locator, bytes, believed_bytes AS believed
      FROM differences ORDER BY locator`,
    parameters: [],
  });
}
