import { hash } from "node:crypto";
import { base16 } from "multiformats/bases/base16";
import { base32 } from "multiformats/bases/base32";
import { base36 } from "multiformats/bases/base36";
import { base58btc } from "multiformats/bases/base58";
import { CID } from "multiformats/cid";
import * as digests from "multiformats/hashes/digest";
import { EngineError } from "#model/engine-error.ts";

export const rawCode = 0x55;
export const dagPbCode = 0x70;
export const dagCborCode = 0x71;
export const sha256Code = 0x12;

/** CIDs reach us in the base32 and base58 that tools print, base36 of subdomains, and hex. */
const anyBase = base32.decoder.or(base58btc.decoder).or(base36.decoder).or(base16.decoder);

/** Copying an object asks for its CID some ten times; a worker has a few thousand under way. */
const recentMax = 8_000;
const recentLengthMax = 128;
const recent = new Map<string, CID>();

/** Text → CID; the text must be a CID and nothing else. Throws USAGE. */
export function parseCid(text: string): CID {
  const known = recent.get(text);
  if (known !== undefined) return known;
  try {
    const cid = text.startsWith("Qm") ? CID.parse(text) : CID.parse(text, anyBase);
    remember(text, cid);
    return cid;
  } catch (thrown) {
    throw new EngineError("USAGE", `"${shorten(text)}" is not a CID`, {
      hint: "a CID looks like bafkrei… or Qm…; give it whole, without a path or /ipfs/ before it",
      cause: thrown,
    });
  }
}

function remember(text: string, cid: CID): void {
  if (text.length > recentLengthMax) return;
  if (recent.size === recentMax) recent.clear();
  recent.set(text, cid);
}

/** The one text form we store and compare: base32 for CIDv1, base58 for CIDv0. Throws USAGE. */
export function canonicalCid(text: string): string {
  return commonForm.test(text) ? text : parseCid(text).toString();
}

/**
 * What nearly all are, and as it should be: version 1, a codec of one byte and a SHA-256 in base32,
 * whose last digit has two bits that must be 0. The library remembers texts beside each CID, which
 * costs more than all else where a backend lists millions.
 */
const commonForm = /^ba[ef][a-z2-7][br]ei[a-h][a-z2-7]{50}[aeimquy4]$/;

/** Canonical text → the binary form kept in the index and in plans. */
export function cidToBytes(text: string): Uint8Array {
  return parseCid(text).bytes;
}

/** Binary form → canonical text. Throws CORRUPT, because bytes only come from our own stores. */
export function cidFromBytes(bytes: Uint8Array): string {
  try {
    const cid = CID.decode(bytes);
    const text = cid.toString();
    remember(text, cid);
    return text;
  } catch (thrown) {
    throw new EngineError("CORRUPT", `${bytes.length} stored bytes are not a CID`, {
      cause: thrown,
    });
  }
}

/** CIDv1 (raw, SHA-256) of a block. */
export function rawCid(bytes: Uint8Array): CID {
  return CID.createV1(rawCode, sha256Digest(bytes));
}

/** SHA-256 of bytes in memory, as a multihash. */
export function sha256Digest(bytes: Uint8Array): digests.Digest<typeof sha256Code, 32> {
  return digests.create(sha256Code, hash("sha256", bytes, "buffer")) as digests.Digest<
    typeof sha256Code,
    32
  >;
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
