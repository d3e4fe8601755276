import {
  appendFile,
  mkdir,
  open,
  readdir,
  rename,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { addressBytes } from "#content/address-file.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import { importDirectory } from "#jobs/import-directory.ts";
import type { Driver } from "#model/driver.ts";
import type { ImportProgress, ImportRequest } from "#model/engine-api.ts";
import { deterministicBytes } from "../content/deterministic-bytes.ts";
import { openIndex } from "../index/open-index.ts";
import { LocalStores } from "./local-stores.ts";
import { driverWith } from "./driver-with.ts";

let stores: LocalStores;
let index: ObjectIndex;
let tree: string;
let hot: Driver;

beforeEach(async () => {
  stores = await LocalStores.open();
  ({ index } = await openIndex(["hot"]));
  hot = await stores.driver("hot");
  tree = join(stores.folder, "photos");
  await mkdir(tree);
});

afterEach(async () => {
  await stores[Symbol.asyncDispose]();
});

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
    const now = (): Date => new Date((time += 7));
    const events = await Array.fromAsync(importTree({}, hot, { now }));
    const times = events.slice(0, -1).map(({ elapsedMs }) => elapsedMs);
    expect(times.length).toBeGreaterThan(2);
    for (const [at, elapsedMs] of times.entries()) {
      expect(elapsedMs - (times[at - 1] ?? 0)).toBeGreaterThanOrEqual(200);
    }
  });
});

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
    const known = (await rows("SELECT count(*) AS n FROM object")) as [{ n: number }];
    expect(known[0].n).toBe((await stored(small)).length);
    expect(known[0].n).toBeGreaterThan(20);
  });

  test("is cancelled by its signal or by whoever reads it; a second run completes it", async () => {
    for (let number = 0; number < 300; number += 1) await put(`${number}`, `file ${number}`);
    const stop = new AbortController();
    const counted = driverWith(hot, {
      write: async (...call) => {
        if ((await stored()).length === 20) stop.abort();
        return hot.write(...call);
      },
    });
    const cancelled = importTree({}, counted, { signal: stop.signal });
    await expect(Array.fromAsync(cancelled)).rejects.toMatchObject({ code: "CANCELLED" });
    expect(await count()).toBe((await stored()).length);

    let time = 0;
    const now = (): Date => new Date((time += 100));
    for await (const { files } of importTree({}, hot, { now })) if (files > 100) break;
    expect(await count()).toBe((await stored()).length);
    expect(await count()).toBeLessThan(300);

    expect(await summaryOf(importTree())).toMatchObject({ files: 300, problems: 0 });
    expect(await count()).toBe(300);
    expect((await stored()).length).toBe(300);
    expect(await readdir(join(stores.folder, "hot", "incoming"))).toEqual([]);
  });
});

const profile = "unixfs-v1-2025";

function importTree(
  request: Partial<ImportRequest> = {},
  driver: Driver = hot,
  options: Parameters<typeof importDirectory>[3] = {},
): AsyncGenerator<ImportProgress> {
  const whole = { path: tree, backend: "hot", ...request };
  return importDirectory(whole, { backend: "hot", driver }, index, options);
}

async function everythingOf(events: AsyncIterable<ImportProgress>) {
  const all = await Array.fromAsync(events);
  const problems = all.filter(({ type }) => type === "problem").map(({ message }) => message);
  const summary = all.at(-1);
  expect(summary?.type).toBe("summary");
  return { problems, summary };
}

async function summaryOf(events: AsyncIterable<ImportProgress>): Promise<unknown> {
  return (await everythingOf(events)).summary;
}

async function put(path: string, text: string): Promise<void> {
  const whole = join(tree, path);
  await mkdir(join(whole, ".."), { recursive: true });
  await appendFile(whole, text);
  expect((await stat(whole)).size).toBe(text.length);
}

function cidOf(bytes: Uint8Array): string {
  return addressBytes(bytes, profile).cid;
}

async function stored(driver: Driver = hot): Promise<readonly string[]> {
  const listed = await Array.fromAsync(driver.list());
  return listed.map(({ cid }) => cid).toSorted();
}

async function count(): Promise<number> {
  const [row] = await rows("SELECT count(*) AS n FROM object");
  return Number(row?.["n"]);
}

async function rows(text: string) {
  await using session = await index.session();
  return await session.rows({ text, parameters: [] });
}

async function* unread(): AsyncGenerator<Uint8Array> {
  yield await Promise.reject(new Error("the bytes were asked for"));
}

async function listen(path: string): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return server;
}
