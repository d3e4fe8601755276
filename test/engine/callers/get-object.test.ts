import { randomBytes } from "node:crypto";
import {
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rm,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { encode } from "@ipld/dag-pb";
import { UnixFS } from "ipfs-unixfs";
import { CID } from "multiformats/cid";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { carHeader, carSectionHead } from "#content/car-writer.ts";
import { dagPbCode, rawCid, sha256Digest } from "#content/cid.ts";
import { draftName } from "#engine/callers/draft-names.ts";
import type { ContentReader } from "#engine/callers/fetching.ts";
import { EngineError } from "#model/engine-error.ts";
import { getObject } from "#engine/callers/get-object.ts";
import type { ReadObjectRequest } from "#model/object-content.ts";
import { type ContentEngine, damageLargest, newWork, openContentEngine } from "./content-engine.ts";

let engine: ContentEngine;
beforeAll(async () => {
  engine = await openContentEngine();
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
});

/** A file of the caller with bytes of its own. */
async function file(name: string, size: number): Promise<Buffer> {
  const bytes = randomBytes(size);
  await writeFile(join(engine.folder, name), bytes);
  return bytes;
}

/** Notes what is asked, and cuts the first answer of a backend off after so many bytes. */
function cutting(backend: string, after: number, asked: ReadObjectRequest[]): ContentReader {
  let whole = false;
  return {
    backends: () => engine.api.backends(),
    objectSources: (reference) => engine.api.objectSources(reference),
    async *readObject(request) {
      asked.push(request);
      let left = whole || request.backend !== backend ? Number.POSITIVE_INFINITY : after;
      whole ||= request.backend === backend;
      for await (const bytes of engine.api.readObject(request)) {
        yield bytes.subarray(0, left);
        left -= bytes.length;
        if (left <= 0) throw new EngineError("UNAVAILABLE", "cut off");
      }
    },
  };
}

test("content that is not what its CID says is neither stored nor entered", async () => {
  const cid = rawCid(Buffer.from("right")).toString();
  const request = {
    cid,
    size: 5,
    profile: "unixfs-v1-2025",
    form: "file",
    backend: "hot",
  } as const;
  const wrong = (async function* () {
    yield await Promise.resolve(Buffer.from("wrong"));
  })();
  await expect(engine.api.storeObject(request, wrong)).rejects.toMatchObject({ code: "CORRUPT" });
  await expect(engine.api.object(cid)).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test("a file goes in and comes out, whole under its name, and is never overwritten unasked", async () => {
  const bytes = await file("a.bin", 2_500_000);
  const { cid, stored } = await engine.add("a.bin", { name: "/in/a.bin" });
  expect(stored).toMatchObject({ backend: "hot", form: "file", confidence: "verified" });
  const got = await engine.get("/in/a.bin", "out.bin");
  expect(got).toMatchObject({ cid, kind: "file", size: bytes.length });
  expect(await readFile(got.path)).toEqual(bytes);
  await expect(engine.get(cid, "out.bin")).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
  expect((await readdir(engine.folder)).filter((name) => name.endsWith(".part"))).toEqual([]);
});

test("a backend that there is not is told from one that has no copy", async () => {
  await file("b.bin", 10);
  const { cid } = await engine.add("b.bin");
  const from = (name: string) =>
    getObject(engine.api, { reference: cid, output: "-", from: name, force: false }, newWork());
  await expect(from("hto")).rejects.toMatchObject({
    message: 'there is no backend "hto"',
    hint: 'did you mean "hot"? (backends: cold, hot, warm)',
  });
  await expect(from("cold")).rejects.toMatchObject({ hint: "it has copies on hot" });
});

test("content that is in a collection already stays in it, and that is said", async () => {
  await file("c.bin", 10);
  await engine.add("c.bin", { facts: { collection: "atlas" } });
  const { stored } = await engine.add("c.bin", { facts: { collection: "other", owner: "ana" } });
  expect(stored?.kept).toEqual([{ fact: "collection", value: "atlas", given: "other" }]);
  expect(await engine.api.object(stored?.cid ?? "")).toMatchObject({
    collection: "atlas",
    owner: "ana",
  });
});

test("where a copy is damaged the next one is read, that is said, and the copy counts no longer", async () => {
  const bytes = await file("b.bin", 4_000_000);
  const { cid } = await engine.add("b.bin", { name: "/b" });
  await engine.add("b.bin", { name: "/b", facts: { backend: "cold" } });
  await damageLargest(join(engine.stores, "hot"));
  engine.problems.length = 0;
  const got = await engine.get("/b", "b.out");
  expect(await readFile(got.path)).toEqual(bytes);
  expect(engine.problems.join()).toContain("the copy on hot is damaged");
  const { copies } = await engine.api.object(cid);
  expect(copies.find(({ backend }) => backend === "hot")).toMatchObject({ state: "corrupt" });
  expect(await engine.api.objectSources(cid)).toMatchObject({
    damaged: ["hot"],
    sources: [{ backend: "cold" }],
  });
});

test("a reading that breaks off goes on from the next copy with the bytes that are missing", async () => {
  const bytes = await file("c.bin", 3_000_000);
  const { cid } = await engine.add("c.bin");
  await engine.add("c.bin", { facts: { backend: "cold" } });
  const asked: ReadObjectRequest[] = [];
  const got = await engine.get(cid, "c.out", cutting("hot", 1_000_000, asked));
  expect(await readFile(got.path)).toEqual(bytes);
  expect(asked).toEqual([
    { object: cid, backend: "hot", form: "file" },
    { object: cid, backend: "cold", form: "file", offset: 1_000_000 },
  ]);
});

test("an attempt that was interrupted is taken up where it was, unless its bytes are wrong", async () => {
  const bytes = await file("d.bin", 3_000_000);
  const { cid } = await engine.add("d.bin");
  const part = join(engine.folder, `d.out.${cid.slice(-16)}.part`);
  await writeFile(part, bytes.subarray(0, 2_000_000));
  const asked: ReadObjectRequest[] = [];
  const never = cutting("nowhere", 0, asked);
  await engine.get(cid, "d.out", never);
  await writeFile(part.replace("d.out", "e.out"), randomBytes(2_000_000));
  const got = await engine.get(cid, "e.out", never);
  expect(asked.map(({ offset }) => offset)).toEqual([2_000_000, 2_000_000, undefined]);
  expect(await readFile(got.path)).toEqual(bytes);
});

test("what an attempt that was killed has left is taken up, and leaves nothing beside the file", async () => {
  const bytes = await file("k.bin", 3_000_000);
  const { cid } = await engine.add("k.bin");
  const part = join(engine.folder, `k.out.${cid.slice(-16)}.part`);
  // No system gives a process this number.
  const killed = draftName(part).replace(`.${process.pid}.`, ".4194305.");
  await writeFile(killed, bytes.subarray(0, 1_000_000));
  const asked: ReadObjectRequest[] = [];
  const got = await engine.get(cid, "k.out", cutting("nowhere", 0, asked));
  expect(asked.map(({ offset }) => offset)).toEqual([1_000_000]);
  expect(await readFile(got.path)).toEqual(bytes);
  expect((await readdir(engine.folder)).filter((name) => name.startsWith("k.out"))).toEqual([
    "k.out",
  ]);
});

test("the furthest of what attempts have left is taken up, and none of it stays", async () => {
  const bytes = await file("l.bin", 3_000_000);
  const { cid } = await engine.add("l.bin");
  const part = join(engine.folder, `l.out.${cid.slice(-16)}.part`);
  for (const size of [10, 2_000_000, 4_000_000]) {
    await writeFile(draftName(part, "left"), Buffer.concat([bytes, bytes]).subarray(0, size));
  }
  // What begins alike is somebody's own file, and a link leads to one.
  const own = [`${part}.left.mine`, `${part}.old`];
  for (const name of own) await writeFile(name, "mine");
  await symlink(`${part}.old`, draftName(part, "left"));
  const asked: ReadObjectRequest[] = [];
  const got = await engine.get(cid, "l.out", cutting("nowhere", 0, asked));
  expect(asked.map(({ offset }) => offset)).toEqual([2_000_000]);
  expect(await readFile(got.path)).toEqual(bytes);
  for (const name of own) expect(await readFile(name, "utf8")).toBe("mine");
  expect((await readdir(engine.folder)).filter((name) => name.startsWith("l.out"))).toHaveLength(4);
});

test("what may still be written elsewhere is left alone, and copied once it is quiet", async () => {
  const bytes = await file("q.bin", 3_000_000);
  const { cid } = await engine.add("q.bin");
  const part = join(engine.folder, `q.out.${cid.slice(-16)}.part`);
  const elsewhere = `${part}.0123456789abcdef.7.42.0a1b2c3d`;
  await writeFile(elsewhere, bytes.subarray(0, 1_000_000));
  const asked: ReadObjectRequest[] = [];
  const reader = cutting("nowhere", 0, asked);
  const { path } = await engine.get(cid, "q.out", reader);
  expect(await readFile(elsewhere)).toHaveLength(1_000_000);
  await rm(path);
  const minutesAgo = new Date(Date.now() - 120_000);
  await utimes(elsewhere, minutesAgo, minutesAgo);
  await engine.get(cid, "q.out", reader);
  expect(asked.map(({ offset }) => offset)).toEqual([undefined, 1_000_000]);
  expect(await readFile(path)).toEqual(bytes);
  await expect(readFile(elsewhere)).rejects.toThrow("ENOENT");
});

test("a full disk ends it, blames no copy, and what has come is gone on with", async () => {
  const bytes = await file("f.bin", 3_000_000);
  const { cid } = await engine.add("f.bin");
  await engine.add("f.bin", { facts: { backend: "cold" } });
  await using handle = await open(join(engine.folder, "f.bin"));
  const files = Object.getPrototypeOf(handle) as FileHandle;
  let left = bytes.length - 1;
  const fail = async function fail(this: FileHandle, data: unknown) {
    const piece = data as Uint8Array;
    await this.writeFile(piece.subarray(0, left));
    left -= piece.length;
    if (left < 0) throw Object.assign(new Error("no space left"), { code: "ENOSPC" });
  };
  const full = vi.spyOn(files, "appendFile").mockImplementation(fail);
  engine.problems.length = 0;
  const asked: ReadObjectRequest[] = [];
  const reader = cutting("nowhere", 0, asked);
  await expect(engine.get(cid, "f.out", reader)).rejects.toMatchObject({ code: "NO_SPACE" });
  full.mockRestore();
  expect(engine.problems).toEqual([]);
  await expect(readFile(join(engine.folder, "f.out"))).rejects.toThrow("ENOENT");
  const { path } = await engine.get(cid, "f.out", reader);
  expect(asked[1]?.offset).toBeGreaterThan(1_000_000);
  expect(await readFile(path)).toEqual(bytes);
});

test("a name that leaves little room for others beside it is given, too", async () => {
  const bytes = await file("n.bin", 1_000);
  const { cid } = await engine.add("n.bin");
  const got = await engine.get(cid, "n".repeat(255));
  expect(await readFile(got.path)).toEqual(bytes);
});

test("two attempts at one file at the same time write no byte of each other's", async () => {
  const bytes = await file("t.bin", 3_000_000);
  const { cid } = await engine.add("t.bin");
  const other = Promise.withResolvers<void>();
  const hasBegun = Promise.withResolvers<void>();
  const waiting: ContentReader = {
    backends: () => engine.api.backends(),
    objectSources: (reference) => engine.api.objectSources(reference),
    async *readObject(request) {
      for await (const piece of engine.api.readObject(request)) {
        yield piece;
        hasBegun.resolve();
        await other.promise;
      }
    },
  };
  const first = engine.get(cid, "t.out", waiting);
  await hasBegun.promise;
  const { path } = await engine.get(cid, "t.out");
  expect(await readFile(path)).toEqual(bytes);
  other.resolve();
  await first;
  expect(await readFile(path)).toEqual(bytes);
  expect((await readdir(engine.folder)).filter((name) => name.startsWith("t.out"))).toEqual([
    "t.out",
  ]);
});

test.skipIf(process.platform === "win32")(
  "an entry with a backslash in its name comes out as it went in",
  async () => {
    await mkdir(join(engine.folder, "slashes"));
    await writeFile(join(engine.folder, "slashes", "back\\slash"), "a");
    const { cid } = await engine.add("slashes");
    const { path } = await engine.get(cid, "slashes.out");
    expect(await namesIn(path)).toEqual(["back\\slash"]);
  },
);

async function namesIn(folder: string): Promise<readonly string[]> {
  return (await readdir(folder, { recursive: true })).toSorted();
}

test("a directory goes in as one object and comes out as a tree; links in it are told", async () => {
  const tree = join(engine.folder, "tree");
  await mkdir(join(tree, "sub/empty"), { recursive: true });
  await writeFile(join(tree, "a.txt"), "a");
  await writeFile(join(tree, "sub/b.bin"), randomBytes(1_500_000));
  await symlink("a.txt", join(tree, "link"));
  const { cid, leftOut, size } = await engine.add("tree");
  expect({ leftOut, size }).toEqual({ leftOut: ["link"], size: 1_500_001 });
  expect(await engine.add("tree")).toMatchObject({ cid, stored: { moved: false, added: false } });
  const { path } = await engine.get(cid, "tree.out");
  expect(await namesIn(path)).toEqual((await namesIn(tree)).filter((name) => name !== "link"));
  const inside = "sub/b.bin";
  expect(await readFile(join(path, inside))).toEqual(await readFile(join(tree, inside)));
});

test("a directory with an entry that leads out of it is refused, and nothing is written", async () => {
  const evil = Buffer.from("evil");
  const leaf = rawCid(evil);
  const bytes = encode({
    Data: new UnixFS({ type: "directory" }).marshal(),
    Links: [{ Name: "../escaped", Tsize: 4, Hash: leaf }],
  });
  const root = CID.createV1(dagPbCode, sha256Digest(bytes));
  const car = (async function* () {
    yield await Promise.resolve(carHeader(root));
    yield carSectionHead(root, [bytes]);
    yield bytes;
    yield carSectionHead(leaf, [evil]);
    yield evil;
  })();
  const object = { cid: root.toString(), size: 4, profile: "unixfs-v1-2025", form: "car" } as const;
  await engine.api.storeObject(object, car);
  const before = await readdir(engine.folder);
  const failure = engine.get(object.cid, "evil.out");
  await expect(failure).rejects.toThrow('an entry of the name "../escaped"');
  expect(await readdir(engine.folder)).toEqual(before);
});
