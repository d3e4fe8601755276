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
  const cid = tryCid(text);
  if (cid === undefined) {
    throw new EngineError("USAGE", `"${text}" is not a CID`, {
      hint: "a CID looks like bafkrei… or Qm…; paths start with /",
    });
  }
  return keyOf(cid);
}

/** Like `cidKey`, but undefined when the text is no CID. */
export function tryCidKey(text: string): CidKey | undefined {
  const cid = tryCid(text);
  return cid === undefined ? undefined : keyOf(cid);
}

/** Stored form → canonical text form. */
export function cidText(bytes: Uint8Array): string {
  // What the index holds was a CID when it came in: to take it apart again costs ten times more.
  return bytes[0] === versionOne ? base32.encode(bytes) : CID.decode(bytes).toString();
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

function keyOf(cid: CID): CidKey {
  const digest = cid.multihash.digest;
  const first = new Uint8Array(8);
  first.set(digest.subarray(0, 8));
  return { bytes: cid.bytes, key: new DataView(first.buffer).getBigInt64(0) };
}
