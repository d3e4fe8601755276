import { randomBytes } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { exportObjectsCar } from "#engine/callers/export-objects-car.ts";
import { type ContentEngine, damageLargest, newWork, openContentEngine } from "./content-engine.ts";

let engine: ContentEngine;
beforeAll(async () => {
  engine = await openContentEngine();
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
});

test("where no copy is left that is intact, it is said what is wrong and what to do", async () => {
  await writeFile(join(engine.folder, "w.bin"), randomBytes(3_000_000));
  const { cid } = await engine.add("w.bin");
  await damageLargest(join(engine.stores, "hot"));
  const hint = expect.stringContaining(`\`thermocline why ${cid}\``);
  await expect(engine.get(cid, "w.out")).rejects.toMatchObject({
    code: "CORRUPT",
    retryable: false,
    message: `${cid} could not be read from hot: that copy is damaged`,
    hint,
  });
  await expect(engine.get(cid, "w.out")).rejects.toMatchObject({ code: "NOT_FOUND", hint });
});

test("a disk that is full with the blocks of a directory ends it as well, and blames no copy", async () => {
  const folder = join(engine.folder, "full");
  await mkdir(folder);
  for (const name of ["a", "b", "c"]) {
    await writeFile(join(folder, name), randomBytes(1_000_000));
  }
  const { cid } = await engine.add("full");
  await engine.add("full", { facts: { backend: "cold" } });
  await using handle = await open(join(folder, "a"));
  const files = Object.getPrototypeOf(handle) as FileHandle;
  const refusal = Object.assign(new Error("no space left"), { code: "ENOSPC" });
  const full = vi.spyOn(files, "writev").mockRejectedValue(refusal);
  engine.problems.length = 0;
  const request = { references: Readable.from([cid]), output: join(engine.folder, "full.car") };
  const all = { from: undefined, path: undefined, depth: undefined };
  const isFull = {
    code: "NO_SPACE",
    message: expect.stringMatching(/full\.\S* cannot be written/),
  };
  try {
    await expect(engine.get(cid, "full.out")).rejects.toMatchObject(isFull);
    const exporting = exportObjectsCar(
      engine.api,
      { ...request, ...all },
      newWork(engine.problems),
    );
    await expect(exporting).rejects.toMatchObject(isFull);
  } finally {
    full.mockRestore();
  }
  expect(engine.problems).toEqual([]);
  expect((await readdir(engine.folder)).filter((name) => name.startsWith("full."))).toEqual([]);
  const { path } = await engine.get(cid, "full.out");
  expect(await readdir(path)).toEqual(["a", "b", "c"]);
});
