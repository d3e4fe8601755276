import { canonicalCid } from "#content/cid.ts";
import { FileHasher } from "#content/file-hasher.ts";
import { profileNamed } from "#content/profile.ts";
import type { ObjectRef } from "#model/copy.ts";
import { fileThreadsMax, workOnFiles } from "#drivers/local/file-threads.ts";
import { pieceBytes } from "#drivers/local/piece-memory.ts";
import { digestBytes, emptyLeafResults, type LeafResults } from "#drivers/local/thread-question.ts";
import { untilStopped } from "#drivers/local/until-stopped.ts";

/** Whoever has a thread read a part of a large file lets others have it after so many bytes. */
const partBytes = 16 * pieceBytes;

/**
 * Whether a file of the right size has the object's bytes: threads read it in parts and hash its
 * leaves. False also where that could not be found out, because its profile has no raw leaves of
 * at most a piece, something could not be read, or it was told to stop: the bytes as a stream tell.
 */
export async function hashesTo(
  path: string,
  object: ObjectRef,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const profile = profileNamed(object.profile);
  const { chunkBytes, leaves } = profile;
  if (leaves !== "raw" || chunkBytes > pieceBytes) return false;
  const hasher = new FileHasher(profile);
  const ahead: Promise<LeafResults | undefined>[] = [];
  const bytes = partBytes - (partBytes % chunkBytes);
  let next = 0;
  try {
    for (let start = 0; start < object.size; start += bytes) {
      for (; ahead.length < fileThreadsMax && next < object.size; next += bytes) {
        const end = Math.min(next + bytes, object.size);
        ahead.push(hashPart(path, next, end, chunkBytes, signal));
      }
      const part = await ahead.shift();
      if (part === undefined) return false;
      const end = Math.min(start + bytes, object.size);
      for (let at = start, from = 0; at < end; at += chunkBytes, from += digestBytes) {
        const digest = part.digests.slice(from, from + digestBytes);
        hasher.addLeaf(digest, Math.min(chunkBytes, end - at));
      }
    }
    return hasher.finish().cid === canonicalCid(object.cid);
  } finally {
    await Promise.all(ahead);
  }
}

/** The digests of all leaves between two places of a file; undefined when some are missing. */
async function hashPart(
  path: string,
  start: number,
  end: number,
  chunkBytes: number,
  signal: AbortSignal | undefined,
): Promise<LeafResults | undefined> {
  if (signal?.aborted === true) return undefined;
  const leaves = Math.ceil((end - start) / chunkBytes);
  const results = emptyLeafResults(leaves);
  const working = workOnFiles({ act: "hash", path, start, end, chunkBytes, results });
  const inTime = await untilStopped(working, signal, () => Atomics.store(results.stop, 0, 1));
  return inTime && Atomics.load(results.hashed, 0) === leaves ? results : undefined;
}
