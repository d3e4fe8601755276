import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CarReader } from "@ipld/car";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { exportObjectsCar, type ExportRequest } from "#engine/callers/export-objects-car.ts";
import { importObjectsCar } from "#engine/callers/import-objects-car.ts";
import { EngineError } from "#model/engine-error.ts";
import { type ContentEngine, newWork, openContentEngine } from "./content-engine.ts";

let engine: ContentEngine;
beforeAll(async () => {
  engine = await openContentEngine();
  const tree = join(engine.folder, "tree");
  await mkdir(join(tree, "sub"), { recursive: true });
  const bytes = randomBytes(1_300_000);
  await writeFile(join(tree, "a.bin"), bytes);
  await writeFile(join(tree, "sub/same.bin"), bytes);
  await writeFile(join(tree, "sub/b.txt"), "b");
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
});

async function exported(
  references: readonly string[],
  name: string,
  options: Partial<ExportRequest> = {},
) {
  const from = (async function* () {
    yield* await Promise.resolve(references);
  })();
  const output = join(engine.folder, name);
  const rest = { from: undefined, path: undefined, depth: undefined, ...options };
  return await exportObjectsCar(engine.api, { references: from, output, ...rest }, newWork());
}

function imported(name: string, backend = "warm") {
  const file = join(engine.folder, name);
  const request = { file, names: [], facts: { backend }, api: engine.api };
  return importObjectsCar(request, newWork());
}

/** CIDs of a CAR as the reference implementation reads them. */
async function blocksOf(name: string): Promise<readonly string[]> {
  const reader = await CarReader.fromBytes(await readFile(join(engine.folder, name)));
  const cids: string[] = [];
  for await (const { cid } of reader.blocks()) cids.push(cid.toString());
  return cids;
}

test("objects become one CAR: the roots in order, each block once, the same bytes every time", async () => {
  const tree = await engine.add("tree");
  const file = await engine.add("tree/a.bin");
  const { roots } = await exported([tree.cid, file.cid], "two.car");
  expect(roots).toEqual([tree.cid, file.cid]);
  const blocks = await blocksOf("two.car");
  expect(new Set(blocks).size).toBe(blocks.length);
  expect(blocks[0]).toBe(tree.cid);
  await exported([file.cid], "file.car");
  const first = await readFile(join(engine.folder, "file.car"));
  // The copy there is a CAR, with its blocks in another order than that of the file.
  expect(await imported("file.car")).toMatchObject([
    { cid: file.cid, stored: { form: "car" }, profile: "unixfs-v1-2025" },
  ]);
  await exported([file.cid], "again.car", { from: "warm" });
  expect(await readFile(join(engine.folder, "again.car"))).toEqual(first);
  expect((await readdir(engine.folder)).filter((name) => name.includes(".part"))).toEqual([]);
});

test("a selector exports what lies there, and a depth no more than so many steps", async () => {
  const { cid } = await engine.add("tree");
  const inside = await engine.add("tree/sub");
  const selected = await exported([cid], "selected.car", { path: "/sub/" });
  expect(selected.roots).toEqual([inside.cid]);
  await exported([inside.cid], "inside.car");
  expect(await blocksOf("selected.car")).toEqual(await blocksOf("inside.car"));
  await exported([cid], "shallow.car", { depth: 1 });
  const shallow = await blocksOf("shallow.car");
  expect(shallow).toHaveLength(3);
  await expect(exported([cid], "x.car", { path: "nowhere" })).rejects.toMatchObject({
    code: "NOT_FOUND",
  });
  await expect(imported("shallow.car")).rejects.toThrow(`blocks of ${cid} are missing: bafk`);
});

test("what is no CAR is called what it is, with what to do", async () => {
  const told = async (bytes: Buffer | string) => {
    await writeFile(join(engine.folder, "other.car"), bytes);
    const error = EngineError.from(await imported("other.car").catch((thrown: unknown) => thrown));
    return `${error.code} ${error.message} | ${error.hint}`;
  };
  const whole = await readFile(join(engine.folder, "two.car"));
  expect(await told("")).toMatch(
    /^CORRUPT .*other.car is not a CAR: it is empty \| write it again/,
  );
  expect(await told(gzipSync(whole))).toMatch(/it is gzip data \| unpack it first: gunzip$/);
  expect(await told("a note\n")).toMatch(
    /it is text \| add it as an object: thermocline objects add$/,
  );
  expect(await told(whole.subarray(0, -10))).toMatch(/in the middle of a block \| .*been cut off$/);
  await expect(imported(".")).rejects.toThrow("is a folder");
});

test("a CAR with a damaged block, or cut off, is refused before anything of it is stored", async () => {
  const whole = await readFile(join(engine.folder, "two.car"));
  const damaged = Buffer.from(whole);
  const middle = damaged.length >> 1;
  damaged[middle] = (damaged[middle] ?? 0) ^ 1;
  await writeFile(join(engine.folder, "damaged.car"), damaged);
  await writeFile(join(engine.folder, "cut.car"), whole.subarray(0, -10));
  for (const name of ["damaged.car", "cut.car"]) {
    await expect(imported(name, "cold")).rejects.toMatchObject({ code: "CORRUPT" });
  }
  const onCold = async () =>
    (await Array.fromAsync(engine.api.objects({})))
      .flat()
      .filter(({ backends }) => backends.includes("cold"));
  expect(await onCold()).toEqual([]);
  expect(await imported("two.car", "cold")).toMatchObject([
    { profile: undefined },
    { profile: "unixfs-v1-2025" },
  ]);
  expect(await onCold()).toHaveLength(2);
});
