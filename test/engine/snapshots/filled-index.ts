import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { SnapshotStore } from "#engine/snapshots/snapshot-store.ts";
import { ObjectIndex } from "#index/object-index.ts";
import {
  cidOf,
  copyOn,
  objectOf,
  openIndex,
  start,
  temporaryFolder,
} from "../../index/open-index.ts";

export { cidOf, start } from "../../index/open-index.ts";

/** An index with so many objects, two copies each, names, tags, reads and holds among them. */
export async function filledIndex(
  objects: number,
): Promise<{ index: ObjectIndex; path: string; store: SnapshotStore }> {
  const { index, path, folder } = await openIndex();
  const batch = Array.from({ length: objects }, (_, number) =>
    objectOf(number, [copyOn("hot"), copyOn("cold", "listed")], {
      names:
        number % 7 === 0 ? [`/data/${number}.bin`, `/again/${number}`] : [`/data/${number}.bin`],
      tags: number % 5 === 0 ? ["fifth"] : [],
      owner: number % 3 === 0 ? "ada" : undefined,
    }),
  );
  await index.putObjects(batch, start);
  await readObjects(index, "first", [1, 2, 3]);
  await index.hold([1, 4], "legal", start);
  return { index, path, store: new SnapshotStore(join(folder, "snapshots")) };
}

/** Has these objects read, once each. */
export async function readObjects(
  index: ObjectIndex,
  batch: string,
  numbers: readonly number[],
): Promise<void> {
  const accesses = numbers.map((number) => ({ object: cidOf(number), at: start, weight: 1 }));
  await index.recordAccesses(batch, accesses);
}

/** The same index file, opened apart with so many threads. */
export async function openCopy(path: string, threads: number): Promise<ObjectIndex> {
  const copy = join(await temporaryFolder(), "index.duckdb");
  await copyFile(path, copy);
  const index = await ObjectIndex.open(copy, { threads, now: () => start });
  onTestFinished(() => index.close());
  return index;
}
