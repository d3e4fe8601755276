import { createWriter, headerLength } from "@ipld/car/buffer-writer";
import { varint } from "multiformats";
import type { CID } from "multiformats/cid";
import { carBlockBytesMax } from "#content/car-parser.ts";
import { canonicalCid, parseCid } from "#content/cid.ts";
import { FileHasher } from "#content/file-hasher.ts";
import { profileNamed } from "#content/profile.ts";
import type { ObjectRef } from "#model/copy.ts";
import type { ByteStream } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";

/**
 * Turns a file into a CARv1 in one pass, and verifies it: the header names the CID the object
 * has, and the stream throws CORRUPT instead of ending when the bytes lead to another. Blocks
 * come depth first with children before their parent, repeated blocks each time: the same file
 * gives the same CAR, byte for byte, and needs no more memory than one chunk.
 */
export async function* fileToCar(
  stream: ByteStream,
  object: ObjectRef,
): AsyncGenerator<Uint8Array> {
  const profile = profileNamed(object.profile);
  if (Math.min(profile.chunkBytes, object.size) > carBlockBytesMax / 2) {
    throw new EngineError("NOT_SUPPORTED", `${object.cid} is one block of ${object.size} bytes`, {
      hint: "blocks above 2 MiB cannot be shared: keep it as a file, or import it as UnixFS",
    });
  }
  const expected = canonicalCid(object.cid);
  const ready: Uint8Array[] = [];
  const hasher = new FileHasher(profile, (cid, parts) =>
    ready.push(sectionHead(cid, parts), ...parts),
  );
  yield header(parseCid(expected));
  for await (const bytes of stream) {
    hasher.update(bytes);
    if (hasher.size > object.size) break;
    yield* ready.splice(0);
  }
  const { cid, size } = hasher.finish();
  if (cid !== expected || size !== object.size) {
    const message = `the file is ${cid} (${size} bytes), not ${expected} (${object.size} bytes)`;
    throw new EngineError("CORRUPT", message, {
      hint: "restore this object from another copy",
      details: { cid: expected, found: cid },
    });
  }
  yield* ready;
}

function header(root: CID): Uint8Array {
  const roots = [root];
  const writer = createWriter(new ArrayBuffer(headerLength({ roots })), { roots });
  return writer.close();
}

function sectionHead(cid: CID, parts: readonly Uint8Array[]): Uint8Array {
  const bytes = parts.reduce((total, part) => total + part.length, cid.bytes.length);
  const prefix = varint.encodeTo(bytes, new Uint8Array(varint.encodingLength(bytes)));
  return Buffer.concat([prefix, cid.bytes]);
}
