import { hash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { pieceBytes } from "#drivers/local/piece-memory.ts";
import { readOnly } from "#drivers/local/read-files.ts";
import { digestBytes, type LeafQuestion } from "#drivers/local/thread-question.ts";

let memory: Buffer | undefined;

/**
 * Hashes the leaves of a part of a file, in blocking calls and one piece of memory: what was read
 * is still near the core that hashes it.
 */
export function hashLeaves({ path, start, end, chunkBytes, results }: LeafQuestion): void {
  memory ??= Buffer.allocUnsafeSlow(pieceBytes);
  const descriptor = openSync(path, readOnly);
  try {
    for (let at = start; at < end; at += chunkBytes) {
      if (Atomics.load(results.stop, 0) !== 0) return;
      const leaf = memory.subarray(0, Math.min(chunkBytes, end - at));
      if (readSync(descriptor, leaf, 0, leaf.length, at) !== leaf.length) return;
      const number = Atomics.load(results.hashed, 0);
      results.digests.set(hash("sha256", leaf, "buffer"), number * digestBytes);
      Atomics.store(results.hashed, 0, number + 1);
    }
  } finally {
    closeSync(descriptor);
  }
}
