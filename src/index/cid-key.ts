import { Buffer } from "node:buffer";
import { base16 } from "multiformats/bases/base16";
import { base32 } from "multiformats/bases/base32";
import { base36 } from "multiformats/bases/base36";
import { base58btc } from "multiformats/bases/base58";
import { CID } from "multiformats/cid";
import { EngineError } from "#model/engine-error.ts";

/** A CID as the index stores it: its binary form and the 64-bit key that finds it. */
export interface CidKey {
  readonly bytes: Uint8Array;
  /** First eight bytes of the digest, signed: what the lookup index is built on. */
  readonly key: bigint;
}

/** Text form → stored form. Throws USAGE when it is no CID. */
export function cidKey(text: string): CidKey {
  const found = tryCidKey(text);
  if (found === undefined) {
    throw new EngineError("USAGE", `"${text}" is not a CID`, {
      hint: "a CID looks like bafkrei… or Qm…; paths start with /",
    });
  }
  return found;
}

/** Like `cidKey`, but undefined when the text is no CID. */
export function tryCidKey(text: string): CidKey | undefined {
  const bytes = commonCid(text);
  if (bytes !== undefined) return { bytes, key: keyAt(bytes, digestStart) };
  const cid = tryCid(text);
  return cid === undefined ? undefined : keyOf(cid);
}

/** Whether the stored form names its block by a SHA-256, as nearly all do. */
export function isOfSha256(bytes: Uint8Array): boolean {
  const isVersionOne = bytes[0] === versionOne && (bytes[1] ?? 0) < 0x80;
  const start = isVersionOne ? digestStart - 2 : 0;
  return (
    bytes.length === start + 2 + sha256Bytes &&
    bytes[start] === sha256Code &&
    bytes[start + 1] === sha256Bytes
  );
}

/** Stored form → canonical text form. */
export function cidText(bytes: Uint8Array): string {
  // What the index holds was a CID when it came in: to take it apart again costs ten times more.
  return bytes[0] === versionOne ? base32Text(bytes) : CID.decode(bytes).toString();
}

/**
 * The text is made in one piece. A library that adds one character to another leaves two
 * kilobytes of garbage for each CID, and lists have millions.
 */
function base32Text(bytes: Uint8Array): string {
  const length = 1 + Math.ceil((bytes.length * 8) / base32Bits);
  if (length > textBytes.length) return base32.encode(bytes);
  let [bits, waiting, end] = [0, 0, 1];
  for (let at = 0; at < bytes.length; at += 1) {
    bits = ((bits << 8) | (bytes[at] ?? 0)) & waitingMax;
    waiting += 8;
    while (waiting >= base32Bits) {
      waiting -= base32Bits;
      textBytes[end] = base32Letters[(bits >> waiting) & digitMax] ?? 0;
      end += 1;
    }
  }
  if (waiting > 0) textBytes[end] = base32Letters[(bits << (base32Bits - waiting)) & digitMax] ?? 0;
  return textBytes.toString("latin1", 0, length);
}

/** The first byte of a CID that names its version; those of version 0 begin with their hash. */
const versionOne = 1;

const otherBases = base58btc.decoder.or(base36.decoder).or(base16.decoder);

function tryCid(text: string): CID | undefined {
  try {
    // What nearly all are; `CID.parse` takes twice as long.
    if (text.startsWith("b")) return CID.decode(base32.decode(text));
    return text.startsWith("Qm") ? CID.parse(text) : CID.parse(text, otherBases);
  } catch {
    return undefined;
  }
}

const commonBytes = 36;
const digestStart = 4;

/**
 * The bytes of a CID as nearly all are: of version 1, with a codec of one byte and a SHA-256, in
 * lower-case base32 or base16. Undefined for everything else, which is not to say that it is no
 * CID. What a library asks of CIDs of all kinds takes ten times as long, and lists have millions.
 */
function commonCid(text: string): Uint8Array | undefined {
  const bitsEach = text[0] === "b" ? 5 : text[0] === "f" ? 4 : undefined;
  if (bitsEach === undefined) return undefined;
  if (text.length !== 1 + Math.ceil((commonBytes * 8) / bitsEach)) return undefined;
  const digits = bitsEach === 5 ? base32Digits : base16Digits;
  const bytes = new Uint8Array(commonBytes);
  let [bits, waiting, length] = [0, 0, 0];
  for (let at = 1; at < text.length; at += 1) {
    const digit = digits[text.charCodeAt(at)] ?? noDigit;
    if (digit === noDigit) return undefined;
    bits = (bits << bitsEach) | digit;
    waiting += bitsEach;
    if (waiting < 8) continue;
    waiting -= 8;
    bytes[length] = bits >> waiting;
    length += 1;
    bits &= (1 << waiting) - 1;
  }
  const isCommon =
    bits === 0 &&
    bytes[0] === versionOne &&
    (bytes[1] ?? 0) < 0x80 &&
    bytes[2] === sha256Code &&
    bytes[3] === commonBytes - digestStart;
  return isCommon ? bytes : undefined;
}

const sha256Code = 0x12;
const sha256Bytes = 32;
const noDigit = 255;
const base32Alphabet = "abcdefghijklmnopqrstuvwxyz234567";
const base32Digits = digitsOf(base32Alphabet);
const base32Letters = Buffer.from(base32Alphabet);
const base32Bits = 5;
const digitMax = 31;
/** Of less than one letter there are at most 4 bits left when 8 come. */
const waitingMax = 2 ** 12 - 1;
/** Where texts are made: longer ones are rare. It begins with the letter that names the base. */
const textBytes = Buffer.from("b".padEnd(256, "="));
const base16Digits = digitsOf("0123456789abcdef");

/** What each character stands for, by its code. */
function digitsOf(alphabet: string): Uint8Array {
  const digits = new Uint8Array(128).fill(noDigit);
  for (let value = 0; value < alphabet.length; value += 1) {
    digits[alphabet.charCodeAt(value)] = value;
  }
  return digits;
}

function keyOf(cid: CID): CidKey {
  const first = new Uint8Array(8);
  first.set(cid.multihash.digest.subarray(0, 8));
  return { bytes: cid.bytes, key: keyAt(first, 0) };
}

const keyBytes = new DataView(new ArrayBuffer(8));

/** Eight bytes as a signed number, the first of them the highest. */
function keyAt(bytes: Uint8Array, start: number): bigint {
  for (let at = 0; at < 8; at += 1) keyBytes.setUint8(at, bytes[start + at] ?? 0);
  return keyBytes.getBigInt64(0);
}
