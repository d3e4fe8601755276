import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { addressBytes } from "#content/address-file.ts";
import { deterministicBytes } from "../content/deterministic-bytes.ts";
import { FileCount } from "#jobs/file-count.ts";
import { driverWith } from "./driver-with.ts";
import {
  cidOf,
  hot,
  importTree,
  index,
  profile,
  put,
  rows,
  stageImports,
  stored,
  stores,
  summaryOf,
  tree,
} from "./import-stage.ts";

stageImports();

describe("importing a folder", () => {
  test("makes an object of every file, with name, type, collection and a verified copy", async () => {
    await put("b/page.html", "<p>hi");
    await put("a.txt", "hello world");
    await put("b/empty", "");
    const summary = await summaryOf(importTree({ owner: "kim", tags: ["raw"] }));
    expect(summary).toMatchObject({ files: 3, bytes: 16, added: 3, known: 0, problems: 0 });
    expect(
      await rows("SELECT path, size, type, collection, owner FROM object ORDER BY path"),
    ).toEqual(
      [
        ["/photos/a.txt", 11, "text/plain"],
        ["/photos/b/empty", 0, null],
        ["/photos/b/page.html", 5, "text/html"],
      ].map(([path, size, type]) => ({ path, size, type, collection: "photos", owner: "kim" })),
    );
    expect(await rows("SELECT DISTINCT backend, form, state, confidence FROM copy")).toEqual([
      { backend: "hot", form: "file", state: "present", confidence: "verified" },
    ]);
    expect(await rows("SELECT count(*) AS tags FROM tag WHERE tag = 'raw'")).toEqual([{ tags: 3 }]);
    expect(await stored()).toEqual(
      ["", "<p>hi", "hello world"].map((text) => cidOf(Buffer.from(text))).toSorted(),
    );
  });

  test("gives a large file the CID of its profile and stores it whole", async () => {
    const bytes = Buffer.concat([...deterministicBytes(3_500_000, "large")]);
    await writeFile(join(tree, "large.bin"), bytes);
    expect(await summaryOf(importTree())).toMatchObject({ files: 1, bytes: bytes.length });
    expect(await stored()).toEqual([cidOf(bytes)]);
  });

  test("makes one object of equal files, with a name for each", async () => {
    await put("one.txt", "same");
    await put("sub/two.txt", "same");
    expect(await summaryOf(importTree())).toMatchObject({ files: 2, added: 1, known: 1 });
    expect(await rows("SELECT path FROM name ORDER BY path")).toEqual([
      { path: "/photos/one.txt" },
      { path: "/photos/sub/two.txt" },
    ]);
  });

  test("numbers objects in the order of the walk, however long each takes", async () => {
    await writeFile(join(tree, "0-large"), Buffer.alloc(3_000_000, 7));
    for (let number = 100; number < 160; number += 1) await put(`${number}`, `file ${number}`);
    await summaryOf(importTree());
    const paths = await rows("SELECT path FROM object ORDER BY object_id");
    expect(paths.map(({ path }) => path)).toEqual(
      ["0-large", ...Array.from({ length: 60 }, (_, at) => `${100 + at}`)].map(
        (name) => `/photos/${name}`,
      ),
    );
  });

  test("writes nothing the second time", async () => {
    await put("a.txt", "hello world");
    await writeFile(join(tree, "large.bin"), Buffer.alloc(2_000_000, 1));
    await summaryOf(importTree());
    const version = await rows("SELECT object_id, path FROM object ORDER BY object_id");
    const unwritable = driverWith(hot, {
      write: (object, body, options) => hot.write(object, { ...body, stream: unread() }, options),
    });
    const summary = await summaryOf(importTree({}, unwritable));
    expect(summary).toMatchObject({ files: 2, added: 0, known: 2, problems: 0 });
    expect(await rows("SELECT object_id, path FROM object ORDER BY object_id")).toEqual(version);
  });

  test("repairs a stored copy that has become corrupt", async () => {
    await put("a.txt", "hello world");
    await summaryOf(importTree());
    const object = { ...addressBytes(Buffer.from("hello world"), profile), profile };
    const copy = await hot.stat(object);
    if (!copy) throw new Error("not stored");
    await stores.damage("hot", copy);
    await summaryOf(importTree());
    expect(await hot.verify(object, "verified")).toMatchObject({ finding: "present" });
  });

  test("counts and writes nothing in a dry run", async () => {
    await put("a.txt", "hello world");
    const before = await index.version();
    const summary = await summaryOf(importTree({ dryRun: true }));
    expect(summary).toMatchObject({ files: 1, bytes: 11, added: 1, known: 0 });
    expect(await stored()).toEqual([]);
    expect(await index.version()).toBe(before);
  });

  test.each([
    ["/", "/a.txt"],
    ["archive/2026/", "/archive/2026/a.txt"],
  ])("puts names under the prefix %s", async (prefix, path) => {
    await put("a.txt", "x");
    await summaryOf(importTree({ prefix, collection: "c" }));
    expect(await rows("SELECT path, collection FROM object")).toEqual([{ path, collection: "c" }]);
  });

  test("says how many files there are as soon as they are counted", async () => {
    await put("a.txt", "a");
    await put("sub/deeper/b.txt", "b");
    await put("store/thermocline-store.json", "{}");
    await put("store/objects/c", "c");
    await symlink("/etc/passwd", join(tree, "link"));
    const steps = importTree();
    const counted = new FileCount(tree, new AbortController().signal);
    await counted.ended;
    expect(counted.total(0)).toEqual({ filesTotal: 2 });
    // Files may have come since they were counted.
    expect(counted.total(7)).toEqual({ filesTotal: 7 });
    expect(await summaryOf(steps)).toMatchObject({ files: 2 });
  });

  test("counts links, and does not follow them", async () => {
    await put("a.txt", "x");
    await symlink("/etc/passwd", join(tree, "link"));
    await symlink("..", join(tree, "up"));
    const summary = await summaryOf(importTree());
    expect(summary).toMatchObject({ files: 1, problems: 0, message: "2 links were not followed" });
  });

  test("tells progress at most five times a second", async () => {
    for (let number = 0; number < 50; number += 1) await put(`${number}`, `${number}`);
    let time = 0;
    const now = (): Date => new Date((time += 30));
    const events = await Array.fromAsync(importTree({}, hot, { now }));
    const times = events.slice(0, -1).map(({ elapsedMs }) => elapsedMs);
    expect(times.length).toBeGreaterThan(2);
    for (const [at, elapsedMs] of times.entries()) {
      expect(elapsedMs - (times[at - 1] ?? 0)).toBeGreaterThanOrEqual(200);
    }
  });
});

async function* unread(): AsyncGenerator<Uint8Array> {
  yield await Promise.reject(new Error("the bytes were asked for"));
}
