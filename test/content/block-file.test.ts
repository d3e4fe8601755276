import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CID } from "multiformats/cid";
import { create as createDigest } from "multiformats/hashes/digest";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BlockFile } from "#content/block-file.ts";
import { carHeader, carSectionHead } from "#content/car-writer.ts";
import { rawCid, rawCode } from "#content/cid.ts";
import { cut, deterministicBytes, streamOf } from "./deterministic-bytes.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "thermocline-blocks-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** Hashed elsewhere and here, in memory used again and not, empty, and as long as a section may be. */
const sizes = [1_048_576, 0, 17, 300_000, 1_048_576, 131_072, 131_071, 1_200_000, 3, 1_048_704];
const contents = Array.from({ length: 40 }, (_, at) =>
  bytesOf(sizes[at % sizes.length] ?? 0, `block ${at}`),
);

function bytesOf(size: number, seed: string): Uint8Array {
  return Buffer.concat([...deterministicBytes(size, seed)]);
}

function carOf(blocks: readonly Uint8Array[], spoilt?: number): Uint8Array {
  const sections = blocks.flatMap((bytes, at) => {
    const cid = rawCid(bytes);
    const stored = Buffer.from(bytes);
    if (at === spoilt) stored[0] = (stored[0] ?? 0) ^ 1;
    return [carSectionHead(cid, [bytes]), stored];
  });
  return Buffer.concat([carHeader(rawCid(Buffer.from("root"))), ...sections]);
}

async function expectAll(blocks: BlockFile, expected: readonly Uint8Array[]): Promise<void> {
  for (const bytes of expected) {
    const found = await blocks.get(rawCid(bytes));
    expect(Buffer.compare(found, bytes)).toBe(0);
  }
}

test.each([700, 65_536, 1_000_000, 9_000_000])(
  "blocks of all sizes come back as they were, from pieces of %i bytes",
  async (pieceBytes) => {
    const inCid = CID.createV1(rawCode, createDigest(0, Buffer.from("in its CID")));
    const identity = [carSectionHead(inCid, [inCid.multihash.digest]), inCid.multihash.digest];
    const car = Buffer.concat([carOf([...contents, ...contents.slice(0, 9)]), ...identity]);
    const distinct = new Map(contents.map((bytes) => [rawCid(bytes).toString(), bytes.length]));
    const total = [...distinct.values()].reduce((sum, bytes) => sum + bytes, 0);
    await using blocks = await BlockFile.create(join(folder, `taken-${pieceBytes}`));
    await blocks.take(streamOf(cut(car, pieceBytes)));
    expect(blocks.bytes).toBe(total);
    await expectAll(blocks, contents);
    // Of a second CAR only what is new is kept.
    const fresh = bytesOf(400_000, "fresh");
    await blocks.take(streamOf(cut(carOf([...contents.slice(20), fresh]), pieceBytes)));
    expect(blocks.bytes).toBe(total + fresh.length);
    await expectAll(blocks, [...contents, fresh]);
    const path = join(folder, `${pieceBytes}.car`);
    await writeFile(path, car);
    const { blocks: lying } = await BlockFile.ofCar(path);
    await using _ = lying;
    expect(lying.bytes).toBe(total);
    await expectAll(lying, contents);
  },
);

test.each([10, 11, 16, 17])("blocks before a damaged one (%i) are kept, it is not", async (at) => {
  const bytes = contents.slice(0, 30);
  const spoilt = bytes[at]?.length === 0 ? at + 1 : at;
  await using blocks = await BlockFile.create(join(folder, `spoilt-${at}`));
  const taking = blocks.take(streamOf(cut(carOf(bytes, spoilt), 500_000)));
  await expect(taking).rejects.toMatchObject({ code: "CORRUPT" });
  await expectAll(blocks, bytes.slice(0, spoilt));
  expect(blocks.has(rawCid(bytes[spoilt] ?? Buffer.alloc(0)))).toBe(false);
  // The next copy brings the rest.
  await blocks.take(streamOf([carOf(bytes)]));
  await expectAll(blocks, bytes);
});
