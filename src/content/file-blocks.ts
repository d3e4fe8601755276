import { carBlockBytesMax } from "#content/car-parser.ts";
import { carSectionHead } from "#content/car-writer.ts";
import { canonicalCid } from "#content/cid.ts";
import { FileHasher } from "#content/file-hasher.ts";
import { hashElsewhereMin, hashPiece } from "#content/hash-piece.ts";
import { sharedPieceMax } from "#content/hash-thread.ts";
import { equalPieces } from "#content/equal-pieces.ts";
import { type Profile, profileNamed } from "#content/profile.ts";
import type { ObjectRef } from "#model/copy.ts";
import type { ByteStream } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";

/**
 * The blocks of a file as sections of a CAR, depth first with children before their parent,
 * repeated blocks each time. Throws CORRUPT instead of ending when the bytes lead to another CID.
 */
export async function* fileBlocks(
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
    ready.push(carSectionHead(cid, parts), ...parts),
  );
  for await (const leaf of hashedLeaves(stream, profile, object.size)) {
    if (leaf.digest === undefined) hasher.update(leaf.bytes);
    else hasher.addLeaf(await leaf.digest, leaf.bytes.length, leaf.bytes);
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

/** A leaf that another thread hashes, or bytes of any length that nobody does yet. */
interface PassingBytes {
  readonly bytes: Uint8Array;
  readonly digest: Promise<Uint8Array> | undefined;
}

/** Leaves that are hashed elsewhere, one while the one before is passed on. */
async function* hashedLeaves(
  stream: ByteStream,
  { chunkBytes, leaves }: Profile,
  size: number,
): AsyncGenerator<PassingBytes> {
  const isLarge = chunkBytes >= hashElsewhereMin && chunkBytes <= sharedPieceMax;
  if (leaves !== "raw" || !isLarge || size < chunkBytes) {
    for await (const bytes of stream) yield { bytes, digest: undefined };
    return;
  }
  let before: PassingBytes | undefined;
  for await (const bytes of equalPieces(stream, chunkBytes)) {
    const leaf = { bytes, digest: hashPiece(bytes) };
    if (before !== undefined) yield before;
    before = leaf;
  }
  if (before !== undefined) yield before;
}
