import { expect, test } from "vitest";
import { canonicalCid, cidFromBytes, cidToBytes, parseCid, rawCid } from "#content/cid.ts";

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
