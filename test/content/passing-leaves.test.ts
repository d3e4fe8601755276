import * as fc from "fast-check";
import { expect, test } from "vitest";
import { addressBytes } from "#content/address-file.ts";
import { CarParser, type CarBlock } from "#content/car-parser.ts";
import { carHeader, carSectionHead } from "#content/car-writer.ts";
import { rawCid } from "#content/cid.ts";
import { equalPieces } from "#content/equal-pieces.ts";
import { PassingLeaves } from "#content/passing-leaves.ts";
import { profileNamed, profiles } from "#content/profile.ts";
import { collect, cut, deterministicBytes, streamOf } from "./deterministic-bytes.ts";

const bytes = Buffer.concat([...deterministicBytes(3_500_000, "leaves")]);
const lengths = fc.array(fc.integer({ min: 1, max: 1_200_000 }), { minLength: 1, maxLength: 12 });

test.each(profiles)(
  "a file under $name has its CID, whatever pieces it comes in",
  async (profile) => {
    await fc.assert(
      fc.asyncProperty(lengths, async (pieces) => {
        const leaves = new PassingLeaves(profile, bytes.length);
        const memory = Buffer.alloc(1_200_000);
        for (let at = 0, number = 0; at < bytes.length; number += 1) {
          const length = Math.min(pieces[number % pieces.length] ?? 1, bytes.length - at);
          // What was taken may be overwritten at once, but for leaves that are made of its bytes.
          const own = profile.leaves === "raw" ? memory : Buffer.alloc(length);
          const piece = own.subarray(0, bytes.copy(own, 0, at, at + length));
          at += length;
          await leaves.take(piece, at === bytes.length);
        }
        expect(await leaves.finish()).toEqual(addressBytes(bytes, profile.name));
      }),
      { numRuns: 5 },
    );
  },
);

test("files at the edge of a leaf, and an empty one, have their CIDs", async () => {
  const profile = profileNamed("unixfs-v1-2025");
  const leaf = profile.chunkBytes;
  for (const size of [0, 1, leaf - 1, leaf, leaf + 1, 2 * leaf]) {
    const file = bytes.subarray(0, size);
    const leaves = new PassingLeaves(profile, size);
    let passed = 0;
    for (const piece of cut(file, 65_537)) {
      passed += piece.length;
      await leaves.take(piece, passed === size);
    }
    expect(await leaves.finish()).toEqual(addressBytes(file, profile.name));
  }
});

test("a stream is cut into equal pieces, the last of them shorter, and nothing is lost", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 100_000, max: 900_000 }),
      fc.integer({ min: 30_000, max: 900_000 }),
      async (given, wanted) => {
        const pieces = await Array.fromAsync(equalPieces(streamOf(cut(bytes, given)), wanted));
        expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
        const last = pieces.pop();
        expect(pieces.every(({ length }) => length === wanted)).toBe(true);
        expect(last?.length).toBe(bytes.length % wanted || wanted);
      },
    ),
    { numRuns: 20 },
  );
  expect(await collect(equalPieces(streamOf([]), 5))).toHaveLength(0);
});

test("a block that comes apart from its CID is handed on as it came", () => {
  const block = bytes.subarray(0, 200_000);
  const cid = rawCid(block);
  const found: CarBlock[] = [];
  const parser = new CarParser({ onRoots: () => undefined, onBlock: (one) => found.push(one) });
  for (const piece of [carHeader(cid), carSectionHead(cid, [block]), block]) parser.update(piece);
  parser.finish();
  expect(found.map((one) => one.cid.toString())).toEqual([cid.toString()]);
  expect(found[0]?.bytes.buffer).toBe(block.buffer);
});
