import { createWriter, headerLength } from "@ipld/car/buffer-writer";
import { varint } from "multiformats";
import type { CID } from "multiformats/cid";

/** The beginning of a CARv1 with these roots. */
export function carHeader(...roots: CID[]): Uint8Array {
  const writer = createWriter(new ArrayBuffer(headerLength({ roots })), { roots });
  return writer.close();
}

/** What stands before the bytes of a block, which may come in parts. */
export function carSectionHead(cid: CID, parts: readonly Uint8Array[]): Uint8Array {
  const bytes = parts.reduce((total, part) => total + part.length, cid.bytes.length);
  const prefix = varint.encodeTo(bytes, new Uint8Array(varint.encodingLength(bytes)));
  return Buffer.concat([prefix, cid.bytes]);
}
