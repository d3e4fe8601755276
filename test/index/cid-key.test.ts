import { assert, constantFrom, nat, property, tuple, uint8Array } from "fast-check";
import { base16 } from "multiformats/bases/base16";
import { base32 } from "multiformats/bases/base32";
import { base36 } from "multiformats/bases/base36";
import { base58btc } from "multiformats/bases/base58";
import { CID } from "multiformats/cid";
import * as digest from "multiformats/hashes/digest";
import { expect, test } from "vitest";
import { cidText, tryCidKey } from "#index/cid-key.ts";

const codecs = constantFrom(0x55, 0x70, 0x71, 0x0129);
const hashes = constantFrom(0x00, 0x12, 0x1e);
const cids = tuple(
  codecs,
  hashes,
  constantFrom(0, 20, 32, 64).chain((length) =>
    uint8Array({ minLength: length, maxLength: length }),
  ),
).map(([codec, hash, bytes]) => CID.createV1(codec, digest.create(hash, bytes)));
const bases = constantFrom(base16, base32, base36, base58btc);

test("a CID is read as the library reads it, whatever it is made of", () => {
  assert(
    property(cids, bases, (cid, base) => {
      const found = tryCidKey(cid.toString(base.encoder));
      expect(found && [...found.bytes]).toEqual([...cid.bytes]);
      const first = new DataView(new ArrayBuffer(8));
      cid.multihash.digest.subarray(0, 8).forEach((byte, at) => {
        first.setUint8(at, byte);
      });
      expect(found?.key).toBe(first.getBigInt64(0));
      expect(cidText(cid.bytes)).toBe(cid.toString());
    }),
  );
});

test("a text with one wrong character is judged as the library judges it", () => {
  const spoiled = tuple(cids, bases, nat(200), constantFrom("", "a", "A", "1", "7", "é", "-"));
  assert(
    property(spoiled, ([cid, base, place, character]) => {
      const text = cid.toString(base.encoder);
      const at = place % text.length;
      const wrong = text.slice(0, at) + character + text.slice(at + 1);
      expect(tryCidKey(wrong)?.bytes).toEqual(byLibrary(wrong)?.bytes);
    }),
    { numRuns: 2_000 },
  );
});

function byLibrary(text: string): CID | undefined {
  try {
    if (text.startsWith("b")) return CID.decode(base32.decode(text));
    if (text.startsWith("Qm")) return CID.parse(text);
    return CID.parse(text, base58btc.decoder.or(base36.decoder).or(base16.decoder));
  } catch {
    return undefined;
  }
}
