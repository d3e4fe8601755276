import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addressBytes } from "#content/address-file.ts";
import { profiles } from "#content/profile.ts";
import { verifyFile } from "#content/verify-file.ts";
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

  test("never ends properly when it is cut short or too long", async () => {
    const short = verifyFile(streamOf([bytes.subarray(0, -1)]), object);
    await expect(collect(short)).rejects.toMatchObject({ code: "CORRUPT" });
    const long = verifyFile(streamOf([bytes, Buffer.from("x")]), object);
    await expect(collect(long)).rejects.toMatchObject({ code: "CORRUPT" });
    const nothing = verifyFile(streamOf([]), object);
    await expect(collect(nothing)).rejects.toMatchObject({ code: "CORRUPT" });
  });
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
