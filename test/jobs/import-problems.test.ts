import { mkdir, open, readdir, rename, truncate, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ObjectIndex } from "#index/object-index.ts";
import { makePlan, stepOf } from "../index/make-plan.ts";
import { context, onlyBatch } from "../index/run-steps.ts";
import { driverWith } from "./driver-with.ts";
import {
  cidOf,
  count,
  everythingOf,
  expectIndexOf,
  hot,
  importTree,
  index,
  put,
  stageImports,
  stored,
  stores,
  summaryOf,
  tree,
} from "./import-stage.ts";

stageImports();

/** Issues the permit to delete the only copy of the first object. */
async function deleteFirst(objects: ObjectIndex, folder: string) {
  const now = new Date();
  const victim = { object: 0, victim: 0 };
  const mark = await makePlan(objects, folder, [{ verb: "tombstone", object: 0 }]);
  const marking = await objects.beginRun(mark, now);
  const marked = stepOf(await onlyBatch(objects, marking.id, "index"));
  await objects.commitCopies(marked, [], context({ now }));
  const plan = await makePlan(objects, folder, [{ verb: "delete", ...victim }]);
  const run = await objects.beginRun(plan, now);
  const step = stepOf(await onlyBatch(objects, run.id, "hot"));
  const { permits } = await objects.commitCopies(step, [], context({ now }));
  return { run: run.id, permits };
}

describe("what cannot be imported is told and does not stop the rest", () => {
  test("names that are not UTF-8, of files and of folders", async () => {
    await put("good.txt", "x");
    const folder = Buffer.concat([Buffer.from(`${tree}/folder`), Buffer.from([0xff])]);
    await mkdir(folder);
    const file = await open(Buffer.concat([Buffer.from(`${tree}/file`), Buffer.from([0xfe])]), "w");
    await file.close();
    const { problems, summary } = await everythingOf(importTree());
    expect(summary).toMatchObject({ files: 1, problems: 2 });
    for (const message of problems) expect(message).toMatch(/photos\/f.*is not there.*UTF-8/);
  });

  test("sockets, and the store of a backend", async () => {
    await put("good.txt", "x");
    const server = await listen(join(tree, "socket"));
    await rename(join(stores.folder, "hot"), join(tree, "hot"));
    const target = driverWith(await stores.driver("other"), {});
    const { problems, summary } = await everythingOf(importTree({}, target));
    server.close();
    expect(summary).toMatchObject({ files: 1, problems: 2 });
    expect(problems).toEqual([
      expect.stringMatching(/^hot was left out/),
      expect.stringMatching(/^socket was left out/),
    ]);
  });

  test("content that is being deleted from the very place", async () => {
    await put("a.txt", "a");
    await put("b.txt", "b");
    await summaryOf(importTree());
    const { run, permits } = await deleteFirst(index, stores.folder);
    expect(permits).toHaveLength(1);
    const { problems, summary } = await everythingOf(importTree());
    expect(summary).toMatchObject({ files: 1, added: 0, known: 1, problems: 1 });
    expect(problems).toEqual([
      expect.stringMatching(
        new RegExp(
          `^/photos/a.txt was left out: \\w+ is being deleted from hot \\(${run}-0\\).*again after`,
        ),
      ),
    ]);
  });

  test("a large file that is written to between the two readings", async () => {
    await writeFile(join(tree, "a.bin"), Buffer.alloc(2_500_000, 1));
    await put("b.txt", "x");
    const meddling = driverWith(hot, {
      write: async (...call) => {
        if (call[0].size > 1_000) {
          const file = await open(join(tree, "a.bin"), "r+");
          await file.write("meddled", 2_000_000);
          await file.close();
        }
        return hot.write(...call);
      },
    });
    const { problems, summary } = await everythingOf(importTree({}, meddling));
    expect(summary).toMatchObject({ files: 1, problems: 1 });
    expect(problems[0]).toMatch(/a\.bin changed while it was read/);
    expect(await stored()).toEqual([cidOf(Buffer.from("x"))]);
  });

  test("a large file that is cut short between the two readings", async () => {
    await writeFile(join(tree, "a.bin"), Buffer.alloc(2_500_000, 1));
    const meddling = driverWith(hot, {
      write: async (...call) => {
        await truncate(join(tree, "a.bin"), 1_100_000);
        return hot.write(...call);
      },
    });
    const { problems, summary } = await everythingOf(importTree({}, meddling));
    expect(summary).toMatchObject({ files: 0, problems: 1 });
    expect(problems[0]).toMatch(/a\.bin changed while it was read/);
    expect(await stored()).toEqual([]);
  });
});

describe("an import that cannot go on", () => {
  test.each([
    ["is not there", "nowhere", "NOT_FOUND"],
    ["is a file", "a.txt", "UNREADABLE"],
  ])("fails with the path when the folder %s", async (_, name, code) => {
    await put("a.txt", "x");
    const failing = summaryOf(importTree({ path: join(tree, name) }));
    await expect(failing).rejects.toMatchObject({ code });
    await expect(summaryOf(importTree({ path: join(tree, name) }))).rejects.toThrow(
      join(tree, name),
    );
  });

  test("stops when the backend is full, and what was stored is in the index", async () => {
    for (let number = 100; number < 200; number += 1)
      await put(`${number}`, "x".repeat(number * 10));
    const small = await stores.driver("small", 50_000);
    const failing = importTree({}, small);
    await expect(Array.fromAsync(failing)).rejects.toMatchObject({
      code: "NO_SPACE",
      exitCode: 8,
      message: expect.stringMatching(/^the import stopped after \d+ files: hot: /) as string,
      hint: expect.stringContaining("import the folder again") as string,
    });
    await expectIndexOf(small);
    expect(await count()).toBeGreaterThan(20);
  });

  test("is cancelled by its signal or by whoever reads it; a second run completes it", async () => {
    for (let number = 0; number < 300; number += 1) await put(`${number}`, `file ${number}`);
    const stop = new AbortController();
    const counted = driverWith(hot, {
      write: async (...call) => {
        if ((await stored()).length >= 20) stop.abort();
        return hot.write(...call);
      },
    });
    const cancelled = importTree({}, counted, { signal: stop.signal });
    await expect(Array.fromAsync(cancelled)).rejects.toMatchObject({ code: "CANCELLED" });
    await expectIndexOf(hot);

    let time = 0;
    const now = (): Date => new Date((time += 100));
    for await (const { files } of importTree({}, hot, { now })) if (files > 100) break;
    await expectIndexOf(hot);
    expect(await count()).toBeGreaterThan(100);
    expect(await count()).toBeLessThan(300);

    expect(await summaryOf(importTree())).toMatchObject({ files: 300, problems: 0 });
    expect(await count()).toBe(300);
    expect((await stored()).length).toBe(300);
    expect(await readdir(join(stores.folder, "hot", "incoming"))).toEqual([]);
  });
});

async function listen(path: string): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return server;
}
