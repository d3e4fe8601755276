import { addressBytes, isAddressOf } from "#content/address-file.ts";
import { canonicalCid } from "#content/cid.ts";
import { PassingLeaves } from "#content/passing-leaves.ts";
import { profileNamed } from "#content/profile.ts";
import type { ObjectRef } from "#model/copy.ts";
import type { ByteStream } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { SinglePiece } from "#model/single-piece.ts";

/**
 * Passes a file's bytes on and checks them by the way: where the stream would end, it throws
 * CORRUPT instead unless size and CID are the object's. So a consumer that only keeps what came
 * to a proper end can never keep wrong bytes. Too many bytes are noticed before they pass.
 */
export function verifyFile(stream: ByteStream, object: ObjectRef): ByteStream {
  if (!(stream instanceof SinglePiece)) return verifyPieces(stream, object);
  return stream.through((bytes) => {
    checkFile(bytes, object);
    return bytes;
  });
}

/** Throws CORRUPT unless these bytes in memory are the object's. */
function checkFile(bytes: Uint8Array, object: ObjectRef): void {
  if (bytes.length !== object.size) throw wrongSize(object, `${bytes.length}`);
  if (isAddressOf(object.cid, bytes, object.profile)) return;
  throw otherContent(object, addressBytes(bytes, object.profile).cid);
}

async function* verifyPieces(stream: ByteStream, object: ObjectRef): AsyncGenerator<Uint8Array> {
  const expected = canonicalCid(object.cid);
  const leaves = new PassingLeaves(profileNamed(object.profile), object.size);
  let size = 0;
  for await (const bytes of stream) {
    size += bytes.length;
    if (size > object.size) throw wrongSize(object, `more than ${object.size}`);
    const hashing = leaves.take(bytes, size === object.size);
    try {
      // Whoever writes it may do so while it is being hashed.
      yield bytes;
    } finally {
      await hashing;
    }
  }
  if (size < object.size) throw wrongSize(object, `${size}`);
  const { cid } = await leaves.finish();
  if (cid !== expected) throw otherContent(object, cid);
}

function otherContent({ cid: text, profile }: ObjectRef, found: string): EngineError {
  const cid = canonicalCid(text);
  return new EngineError("CORRUPT", `the bytes of ${cid} are those of ${found}`, {
    hint: "restore this object from another copy",
    details: { cid, found, profile },
  });
}

function wrongSize(object: ObjectRef, found: string): EngineError {
  const message = `${object.cid} has ${object.size} bytes, the stream ${found}`;
  return new EngineError("CORRUPT", message, {
    hint: "restore this object from another copy",
    details: { cid: object.cid, size: object.size },
  });
}
