import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addressBytes } from "#content/address-file.ts";
import { profiles } from "#content/profile.ts";
import { verifyFile } from "#content/verify-file.ts";
import type { ObjectRef } from "#model/copy.ts";
import { SinglePiece } from "#model/single-piece.ts";
import { collect, cut, deterministicBytes, streamOf } from "./deterministic-bytes.ts";

const bytes = Buffer.concat([...deterministicBytes(1_300_000, "verify")]);

describe.each(profiles.map((profile) => profile.name))("a file under %s", (profile) => {
  const object = { ...addressBytes(bytes, profile), profile };

  test("passes unchanged when it is intact", async () => {
    const passed = await collect(verifyFile(streamOf(cut(bytes, 65_536)), object));
    expect(Buffer.compare(passed, bytes)).toBe(0);
  });

  test("never ends properly with one byte flipped, wherever it is", async () => {
    const places = fc.integer({ min: 0, max: bytes.length - 1 });
    await fc.assert(
      fc.asyncProperty(places, fc.integer({ min: 1, max: 255 }), async (place, flip) => {
        const wrong = Buffer.from(bytes);
        wrong[place] = (wrong[place] ?? 0) ^ flip;
        const passing = collect(verifyFile(streamOf(cut(wrong, 65_536)), object));
        await expect(passing).rejects.toMatchObject({ code: "CORRUPT" });
      }),
      { numRuns: 15 },
    );
  });

  test("passes in one piece when it is intact, and not when it is any other", async () => {
    expect(Buffer.compare(await onePiece(bytes, object), bytes)).toBe(0);
    const flipped = Buffer.from(bytes);
    flipped[700_000] = (flipped[700_000] ?? 0) ^ 1;
    for (const wrong of [flipped, bytes.subarray(1), Buffer.alloc(0), Buffer.alloc(1_300_001)]) {
      await expect(onePiece(wrong, object)).rejects.toMatchObject({ code: "CORRUPT" });
    }
  });

  test("never ends properly when it is cut short or too long", async () => {
    const short = verifyFile(streamOf([bytes.subarray(0, -1)]), object);
    await expect(collect(short)).rejects.toMatchObject({ code: "CORRUPT" });
    const long = verifyFile(streamOf([bytes, Buffer.from("x")]), object);
    await expect(collect(long)).rejects.toMatchObject({ code: "CORRUPT" });
    const nothing = verifyFile(streamOf([]), object);
    await expect(collect(nothing)).rejects.toMatchObject({ code: "CORRUPT" });
  });
});

test("a small file is told from every other, whatever its profile says of its CID", async () => {
  for (const { name } of profiles) {
    for (const size of [0, 1, 300_000]) {
      const content = bytes.subarray(0, size);
      const object = { ...addressBytes(content, name), profile: name };
      const passed = await collect(verifyFile(new SinglePiece(() => content), object));
      expect(Buffer.compare(passed, content)).toBe(0);
      const other = addressBytes(bytes.subarray(7, 7 + size + 1), name);
      const wrong = verifyFile(new SinglePiece(() => content), { ...other, size, profile: name });
      await expect(collect(wrong)).rejects.toMatchObject({ code: "CORRUPT" });
    }
  }
});

test("reads no further than its consumer, and lets go of the source when that stops", async () => {
  let handedOut = 0;
  let released = false;
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        handedOut += 1;
        yield new Uint8Array(1_000);
      }
    } finally {
      released = true;
    }
  }
  const object = { cid: addressBytes(bytes, "raw-sha256").cid, size: 1e9, profile: "raw-sha256" };
  for await (const _ of verifyFile(source(), object)) if (handedOut === 3) break;
  expect(handedOut).toBe(3);
  expect(released).toBe(true);
});

async function onePiece(content: Uint8Array, object: ObjectRef): Promise<Uint8Array> {
  return await collect(verifyFile(new SinglePiece(() => content), object));
}
