import { encode } from "@ipld/dag-cbor";
import { varint } from "multiformats";
import type { CID } from "multiformats/cid";

/** The beginning of a CARv1 with these roots. */
export function carHeader(...roots: CID[]): Uint8Array {
  return withLength(encode({ version: 1, roots }));
}

/** What stands before the bytes of a block, which may come in parts. */
export function carSectionHead(cid: CID, parts: readonly Uint8Array[]): Uint8Array {
  const bytes = parts.reduce((total, part) => total + part.length, cid.bytes.length);
  return withLength(cid.bytes, bytes);
}

/** Bytes behind the length of what they begin, which is theirs unless more follows. */
function withLength(begun: Uint8Array, length = begun.length): Uint8Array {
  const prefix = varint.encodeTo(length, new Uint8Array(varint.encodingLength(length)));
  return Buffer.concat([prefix, begun]);
}
