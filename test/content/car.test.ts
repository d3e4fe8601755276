import { readFile } from "node:fs/promises";
import * as fc from "fast-check";
import { CarReader } from "@ipld/car";
import { createWriter, headerLength } from "@ipld/car/buffer-writer";
import { exporter } from "ipfs-unixfs-exporter";
import { encode as encodeDagCbor } from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import { create as createDigest } from "multiformats/hashes/digest";
import { describe, expect, test } from "vitest";
import { addressBytes } from "#content/address-file.ts";
import { CarParser, type CarBlock } from "#content/car-parser.ts";
import { checkBlock } from "#content/check-block.ts";
import { carHeader, carSectionHead } from "#content/car-writer.ts";
import { dagCborCode, parseCid, rawCode, sha256Digest } from "#content/cid.ts";
import { convertForm } from "#content/convert-form.ts";
import { decodeNode } from "#content/dag-node.ts";
import { verifyStream } from "#content/verify-stream.ts";
import type { ObjectRef } from "#model/copy.ts";
import { collect, cut, deterministicBytes, streamOf } from "./deterministic-bytes.ts";

const corrupt = { code: "CORRUPT" };
const large = bytesOf(2_700_000, "car");

describe("published CARs", () => {
  test("the CARv1 of the specification is read block by block", async () => {
    const { roots, blocks } = parse(await fixture("carv1-basic"));
    expect(roots.map(String)).toEqual([
      "bafyreihyrpefhacm6kkp4ql6j6udakdit7g3dmkzfriqfykhjw6cad5lrm",
      "bafyreidj5idub6mapiupjwjsyyxhyhedxycv4vihfsicm2vt46o7morwlm",
    ]);
    expect(blocks.map(({ cid, bytes }) => [cid.toString(), bytes.length])).toEqual([
      ["bafyreihyrpefhacm6kkp4ql6j6udakdit7g3dmkzfriqfykhjw6cad5lrm", 55],
      ["QmNX6Tffavsya4xgBi2VJQnSuqy9GsxongxZZ9uZBqp16d", 97],
      ["bafkreifw7plhl6mofk6sfvhnfh64qmkq73oeqwl6sloru6rehaoujituke", 4],
      ["QmWXZxVQ9yZfhQxLD35eDR8LiMRsYtHxYqTFCBbJoiJVys", 94],
      ["bafkreiebzrnroamgos2adnbpgw5apo3z4iishhbdx77gldnbk57d4zdio4", 4],
      ["QmdwjhxpxzcMsR3qUuj7vUL8pbA7MgR3GAxWi2GLHjsKCT", 47],
      ["bafkreidbxzk2ryxwwtqxem4l3xyyjvw35yu4tcct4cqeqxwo47zhxgxqwq", 4],
      ["bafyreidj5idub6mapiupjwjsyyxhyhedxycv4vihfsicm2vt46o7morwlm", 18],
    ]);
    for (const block of blocks) checkBlock(block);
  });

  test.each([
    ["carv2-basic", "QmfEoLyB5NndqeKieExd1rtJzTduQUPEV8TwAYcUiy3H5Z"],
    ["sample-unixfs-v2", "bafybeiakgrehdxxgy5kca72znt6jllrj2sqkehtqeojfuxlbeuqg3vfkwq"],
  ])("%s, a CARv2, is whole from its root, however it is cut", async (name, cid) => {
    const car = await fixture(name);
    const object = { cid, size: 0, profile: "unixfs-v1-2025" };
    for (const pieceBytes of [1, 7, 50, 10_000]) {
      const passed = await collect(verifyStream(streamOf(cut(car, pieceBytes)), "car", object));
      expect(Buffer.compare(passed, car)).toBe(0);
    }
  });

  test.each(["sample-corrupt-pragma", "sample-rootless-v42"])("%s is refused", async (name) => {
    const car = await fixture(name);
    expect(() => parse(car)).toThrow(expect.objectContaining(corrupt) as Error);
  });
});

describe.each(["unixfs-v1-2025", "unixfs-v0-2015"])("a file as a CAR under %s", (profile) => {
  const object = objectOf(large, profile);

  test("comes back from it byte for byte", async () => {
    const car = await carOf(large, object);
    const file = await collect(convertForm(streamOf(cut(car, 65_536)), "car", "file", object));
    expect(Buffer.compare(file, large)).toBe(0);
  });

  test("is read by the reference implementation, with the same file in it", async () => {
    const car = await carOf(large, object);
    const reader = await CarReader.fromBytes(car);
    expect((await reader.getRoots()).map(String)).toEqual([object.cid]);
    const blocks = {
      async *get(cid: CID) {
        yield (await reader.get(cid))?.bytes ?? Buffer.alloc(0);
      },
    };
    const entry = await exporter(parseCid(object.cid), blocks);
    if (entry.type !== "file") throw new Error(`the root is a ${entry.type}`);
    const file = await collect(entry.content());
    expect(Buffer.compare(file, large)).toBe(0);
  });

  test("is the same CAR every time, however the file is cut", async () => {
    const [one, other] = await Promise.all([
      carOf(large, object, 1_000),
      carOf(large, object, 1_048_577),
    ]);
    expect(Buffer.compare(one, other)).toBe(0);
  });

  test("never ends properly with one byte of the CAR flipped, wherever it is", async () => {
    const car = await carOf(large, object);
    const places = fc.oneof(
      fc.integer({ min: 0, max: 200 }),
      fc.integer({ min: 0, max: car.length - 1 }),
      fc.integer({ min: car.length - 300, max: car.length - 1 }),
    );
    await fc.assert(
      fc.asyncProperty(places, fc.integer({ min: 1, max: 255 }), async (place, flip) => {
        const wrong = Buffer.from(car);
        wrong[place] = (wrong[place] ?? 0) ^ flip;
        const verified = collect(verifyStream(streamOf(cut(wrong, 65_536)), "car", object));
        await expect(verified).rejects.toMatchObject({ code: /^(CORRUPT|NOT_SUPPORTED)$/ });
        const converted = collect(convertForm(streamOf([wrong]), "car", "file", object));
        await expect(converted).rejects.toMatchObject({ code: /^(CORRUPT|NOT_SUPPORTED)$/ });
      }),
      { numRuns: 40 },
    );
  });

  test("never ends properly cut short, at the start of a block or anywhere", async () => {
    const car = await carOf(large, object);
    const { blocks } = parse(car);
    const [last] = blocks.slice(-1);
    const lastSection = (last?.bytes.length ?? 0) + (last?.cid.bytes.length ?? 0) + 2;
    for (const bytes of [0, 40, 1_000_000, car.length - 1, car.length - lastSection]) {
      const short = verifyStream(streamOf([car.subarray(0, bytes)]), "car", object);
      await expect(collect(short)).rejects.toMatchObject(corrupt);
    }
  });

  test("never ends properly when the file is not the object", async () => {
    const other = bytesOf(large.length, "other");
    await expect(carOf(other, object)).rejects.toMatchObject(corrupt);
    await expect(carOf(large.subarray(1), object)).rejects.toMatchObject(corrupt);
    const asOther = convertForm(
      streamOf([await carOf(other, objectOf(other, profile))]),
      "car",
      "file",
      object,
    );
    await expect(collect(asOther)).rejects.toMatchObject(corrupt);
  });
});

test("a CAR with parents first and each block once, as Kubo exports it, gives the file", async () => {
  // Two levels of nodes: more than 174 chunks of 256 KiB, most of them the same.
  const zeros = Buffer.alloc(25_000_000);
  const repeated = Buffer.concat([zeros, large, zeros, large.subarray(0, 1_500_000)]);
  const object = objectOf(repeated, "unixfs-v0-2015");
  const car = repack(await carOf(repeated, object), object, "parents-first");
  expect(car.length).toBeLessThan(repeated.length);
  const file = await collect(convertForm(streamOf(cut(car, 100_000)), "car", "file", object));
  expect(Buffer.compare(file, repeated)).toBe(0);
});

test.each(["parents-first", "children-first"] as const)(
  "a CAR (%s) that lacks any one of its blocks is not the object",
  async (order) => {
    const object = objectOf(large, "unixfs-v0-2015");
    const whole = await carOf(large, object);
    const { blocks } = parse(whole);
    expect(blocks.length).toBe(12);
    for (const { cid } of blocks) {
      const lacking = repack(whole, object, order, cid.toString());
      const verified = collect(verifyStream(streamOf([lacking]), "car", object));
      await expect(verified).rejects.toMatchObject(corrupt);
      const converted = collect(convertForm(streamOf([lacking]), "car", "file", object));
      await expect(converted).rejects.toMatchObject(corrupt);
    }
  },
);

test("a CAR in no order of the file is whole, but cannot be turned into the file", async () => {
  const object = objectOf(large, "unixfs-v1-2025");
  const car = repack(await carOf(large, object), object, "reversed");
  await collect(verifyStream(streamOf([car]), "car", object));
  const converted = collect(convertForm(streamOf([car]), "car", "file", object));
  await expect(converted).rejects.toMatchObject({ code: "NOT_SUPPORTED" });
});

describe("a CAR that leaves out a root which bears its own bytes, as gateways give it", () => {
  const bytes = Buffer.from("within the name");

  test("is whole, and gives the file; its size is checked all the same", async () => {
    const root = inCid(rawCode, bytes);
    const [car, object] = [carHeader(root), ofSize(root, bytes.length)];
    expect(await collect(verifyStream(streamOf([car]), "car", object))).toEqual(car);
    const file = await collect(convertForm(streamOf([car]), "car", "file", object));
    expect(Buffer.from(file).toString()).toBe("within the name");
    const longer = verifyStream(streamOf([car]), "car", ofSize(root, bytes.length + 1));
    await expect(collect(longer)).rejects.toMatchObject(corrupt);
  });

  test("lacks what it links to, unless that came", async () => {
    const linked = CID.createV1(rawCode, sha256Digest(bytes));
    const root = inCid(dagCborCode, encodeDagCbor({ linked }));
    const [header, object] = [carHeader(root), ofSize(root, bytes.length)];
    const whole = Buffer.concat([header, carSectionHead(linked, [bytes]), bytes]);
    expect(await collect(verifyStream(streamOf([whole]), "car", object))).toHaveLength(
      whole.length,
    );
    await expect(collect(verifyStream(streamOf([header]), "car", object))).rejects.toMatchObject({
      ...corrupt,
      message: expect.stringContaining("1 blocks are missing") as string,
    });
  });

  test("is damaged where the root bears only the hash of its bytes", async () => {
    const root = CID.createV1(rawCode, sha256Digest(bytes));
    const lacking = verifyStream(streamOf([carHeader(root)]), "car", ofSize(root, bytes.length));
    await expect(collect(lacking)).rejects.toMatchObject(corrupt);
  });
});

test("the size of the object is checked against the root of the CAR", async () => {
  const object = objectOf(large, "unixfs-v1-2025");
  const car = await carOf(large, object);
  const wrong = verifyStream(streamOf([car]), "car", { ...object, size: object.size + 1 });
  await expect(collect(wrong)).rejects.toMatchObject(corrupt);
});

test("small and empty files come back from their CAR, under every profile", async () => {
  const files = fc.uint8Array({ maxLength: 3_000 });
  const names = fc.constantFrom("unixfs-v1-2025", "unixfs-v0-2015", "raw-sha256");
  await fc.assert(
    fc.asyncProperty(files, names, async (bytes, profile) => {
      const object = objectOf(bytes, profile);
      const car = await carOf(bytes, object);
      const file = await collect(convertForm(streamOf([car]), "car", "file", object));
      expect(Buffer.compare(file, bytes)).toBe(0);
    }),
    { numRuns: 60 },
  );
});

test("a blob too large for one block is refused as a CAR, with the way out", async () => {
  const object = objectOf(large, "raw-sha256");
  await expect(carOf(large, object)).rejects.toMatchObject({
    code: "NOT_SUPPORTED",
    hint: expect.stringContaining("UnixFS") as string,
  });
});

test("a section that claims a huge length is refused before anything is held", () => {
  const car = Buffer.concat([emptyCar(), Buffer.from("ffffffff7f", "hex")]);
  expect(() => parse(car)).toThrow(expect.objectContaining(corrupt) as Error);
});

function bytesOf(size: number, seed: string): Uint8Array {
  return Buffer.concat([...deterministicBytes(size, seed)]);
}

/** A CID that bears its block. */
function inCid(code: number, content: Uint8Array): CID {
  return CID.createV1(code, createDigest(0, content));
}

function ofSize(root: CID, size: number): ObjectRef {
  return { cid: root.toString(), size, profile: "unixfs-v1-2025" };
}

function objectOf(bytes: Uint8Array, profile: string): ObjectRef {
  return { ...addressBytes(bytes, profile), profile };
}

function carOf(bytes: Uint8Array, object: ObjectRef, pieceBytes = 65_536): Promise<Uint8Array> {
  return collect(convertForm(streamOf(cut(bytes, pieceBytes)), "file", "car", object));
}

function fixture(name: string): Promise<Uint8Array> {
  return readFile(new URL(`fixtures/${name}.car`, import.meta.url));
}

function parse(car: Uint8Array): { roots: readonly CID[]; blocks: readonly CarBlock[] } {
  const seen: { roots: readonly CID[]; blocks: CarBlock[] } = { roots: [], blocks: [] };
  const parser = new CarParser({
    onRoots: (roots) => (seen.roots = roots),
    onBlock: (block) => seen.blocks.push(block),
  });
  parser.update(car);
  parser.finish();
  return seen;
}

function emptyCar(): Uint8Array {
  const roots = [parseCid(objectOf(large, "raw-sha256").cid)];
  return createWriter(new ArrayBuffer(headerLength({ roots })), { roots }).close();
}

/** Writes the blocks of a CAR again, each once, in another order, with the reference writer. */
function repack(
  car: Uint8Array,
  object: ObjectRef,
  order: "parents-first" | "children-first" | "reversed",
  without?: string,
): Uint8Array {
  const { roots, blocks } = parse(car);
  const byCid = new Map(blocks.map((block) => [block.cid.toString(), block]));
  const ordered = new Map<string, CarBlock>();
  const visit = (cid: string): void => {
    const block = byCid.get(cid);
    if (!block || ordered.has(cid)) return;
    ordered.set(cid, block);
    for (const link of decodeNode(block).links) visit(link.toString());
  };
  visit(object.cid);
  const childrenFirst = [...byCid.values()];
  const orders = {
    "parents-first": [...ordered.values()],
    "children-first": childrenFirst,
    reversed: childrenFirst.toReversed(),
  };
  const writer = createWriter(new ArrayBuffer(car.length), { roots: [...roots] });
  for (const block of orders[order]) if (block.cid.toString() !== without) writer.write(block);
  return writer.close({ resize: true });
}
