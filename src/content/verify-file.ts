import { canonicalCid } from "#content/cid.ts";
import { FileHasher } from "#content/file-hasher.ts";
import { profileNamed } from "#content/profile.ts";
import type { ObjectRef } from "#model/copy.ts";
import type { ByteStream } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";

/**
 * Passes a file's bytes on and checks them by the way: where the stream would end, it throws
 * CORRUPT instead unless size and CID are the object's. So a consumer that only keeps what came
 * to a proper end can never keep wrong bytes. Too many bytes are noticed before they pass.
 */
export async function* verifyFile(
  stream: ByteStream,
  object: ObjectRef,
): AsyncGenerator<Uint8Array> {
  const expected = canonicalCid(object.cid);
  const hasher = new FileHasher(profileNamed(object.profile));
  for await (const bytes of stream) {
    hasher.update(bytes);
    if (hasher.size > object.size) throw wrongSize(object, `more than ${object.size}`);
    yield bytes;
  }
  if (hasher.size < object.size) throw wrongSize(object, `${hasher.size}`);
  const { cid } = hasher.finish();
  if (cid !== expected) {
    throw new EngineError("CORRUPT", `the bytes of ${expected} are those of ${cid}`, {
      hint: "restore this object from another copy",
      details: { cid: expected, found: cid, profile: object.profile },
    });
  }
}

function wrongSize(object: ObjectRef, found: string): EngineError {
  const message = `${object.cid} has ${object.size} bytes, the stream ${found}`;
  return new EngineError("CORRUPT", message, {
    hint: "restore this object from another copy",
    details: { cid: object.cid, size: object.size },
  });
}
