import { createReadStream } from "node:fs";
import { join } from "node:path";
import { CarReader } from "@ipld/car/reader";
import { decode } from "@ipld/dag-cbor";
import { exporter } from "ipfs-unixfs-exporter";
import { CID } from "multiformats/cid";
import { expect, test } from "vitest";
import { exportCar } from "#engine/snapshots/export-car.ts";
import { distinctParts } from "#engine/snapshots/snapshot-parts.ts";
import { takeSnapshot } from "#engine/snapshots/take-snapshot.ts";
import { readFile } from "node:fs/promises";
import { filledIndex, start } from "./filled-index.ts";

test("a CAR of a snapshot has everything that its manifest links, as other tools read it", async () => {
  const { index, store } = await filledIndex(40);
  const { cid } = await takeSnapshot(index, store, { now: start, partRows: 16 });
  const file = join(store.directory, "index.car");
  const report = await exportCar(store, { snapshot: "newest", file });
  expect(report).toMatchObject({ cid, file, objects: 40 });

  const reader = await CarReader.fromIterable(createReadStream(file));
  expect((await reader.getRoots()).map(String)).toEqual([cid]);
  const block = await reader.get(CID.parse(cid));
  if (block === undefined) throw new Error("the manifest is not in the CAR");
  const { manifest } = await store.find(cid);
  expect(decode(block.bytes)).toMatchObject({
    takenAt: manifest.takenAt,
    tables: expect.any(Array),
  });
  const blocks = {
    async *get(wanted: CID) {
      const found = await reader.get(wanted);
      if (found === undefined) throw new Error(`${String(wanted)} is not in the CAR`);
      yield found.bytes;
    },
  };
  for (const part of distinctParts(manifest)) {
    const entry = await exporter(part.cid, blocks);
    if (entry.type === "directory" || entry.type === "object") throw new Error(entry.type);
    const bytes = Buffer.concat(await Array.fromAsync(entry.content()));
    expect(Buffer.compare(bytes, await readFile(store.partPath(part.cid.toString())))).toBe(0);
  }
});

test("no CAR is left behind when a part is missing", async () => {
  const { index, store } = await filledIndex(10);
  const { cid } = await takeSnapshot(index, store, { now: start, partRows: 16 });
  const [part] = distinctParts((await store.find(cid)).manifest);
  await store.removePart(part?.cid.toString() ?? "");
  const file = join(store.directory, "index.car");
  const exporting = exportCar(store, { snapshot: cid, file });
  await expect(exporting).rejects.toMatchObject({ code: "CORRUPT" });
  await expect(readFile(file)).rejects.toThrow("ENOENT");
});
