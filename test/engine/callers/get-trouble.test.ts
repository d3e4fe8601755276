import { join } from "node:path";
import { writeFile } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ContentEngine, damageLargest, openContentEngine } from "./content-engine.ts";

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
