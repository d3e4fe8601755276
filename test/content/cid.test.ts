import * as fc from "fast-check";
import { CID } from "multiformats/cid";
import { create as createDigest } from "multiformats/hashes/digest";
import { expect, test } from "vitest";
import {
  canonicalCid,
  cidFromBytes,
  cidToBytes,
  dagCborCode,
  dagPbCode,
  parseCid,
  rawCid,
  rawCode,
  sha256Code,
} from "#content/cid.ts";

const v1 = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";
const v0 = "Qmf412jQZiuVUtdgnB36FXFX7xg5V6KEbSJ4dpQuhkLyfD";

test("every usual base leads to the same canonical text", async () => {
  const { base16 } = await import("multiformats/bases/base16");
  const { base36 } = await import("multiformats/bases/base36");
  const { base58btc } = await import("multiformats/bases/base58");
  const cid = parseCid(v1);
  for (const base of [base16, base36, base58btc]) {
    expect(canonicalCid(cid.toString(base))).toBe(v1);
  }
  expect(canonicalCid(v0)).toBe(v0);
});

test("what is taken for canonical at a glance is what the library says", () => {
  const characters = "abcdefghijklmnopqrstuvwxyz234567A08=\n".split("");
  const changed = fc.record({
    codec: fc.constantFrom(0, rawCode, dagPbCode, dagCborCode, 0x7f, 0x80, 0x129),
    digest: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    at: fc.integer({ min: 0, max: 58 }),
    character: fc.constantFrom(...characters),
  });
  fc.assert(
    fc.property(changed, ({ codec, digest, at, character }) => {
      const cid = CID.createV1(codec, createDigest(sha256Code, digest)).toString();
      expect(canonicalCid(cid)).toBe(cid);
      const other = cid.slice(0, at) + character + cid.slice(at + 1);
      expect(orNone(() => canonicalCid(other))).toBe(orNone(() => parseCid(other).toString()));
      expect(orNone(() => canonicalCid(`${other}\n`))).toBeUndefined();
    }),
    { numRuns: 2_000 },
  );
});

function orNone(text: () => string): string | undefined {
  try {
    return text();
  } catch {
    return undefined;
  }
}

test("text and bytes are two forms of one CID", () => {
  for (const text of [v0, v1]) expect(cidFromBytes(cidToBytes(text))).toBe(text);
  expect(cidToBytes(v1)).toHaveLength(36);
});

test("the CID of a block is the one that Kubo prints", () => {
  expect(rawCid(Buffer.from("hello world")).toString()).toBe(v1);
});

test.each(["", "hello", `/ipfs/${v1}`, `${v1}/x`, v1.slice(0, -1), `${v0}1`, "x".repeat(5_000)])(
  "%j is no CID, and the error says so",
  (text) => {
    expect(() => parseCid(text)).toThrow(expect.objectContaining({ code: "USAGE" }) as Error);
  },
);

test("bytes that are no CID are corruption", () => {
  const wrong = Buffer.from("no cid");
  expect(() => cidFromBytes(wrong)).toThrow(expect.objectContaining({ code: "CORRUPT" }) as Error);
});
