import { hash } from "node:crypto";
import { availableParallelism } from "node:os";
import { extname } from "node:path";
import { HashThread, sharedPieceMax } from "#content/hash-thread.ts";

/** For fewer bytes the way to another thread and back costs more than hashing them here. */
export const hashElsewhereMin = 128 * 1024;

/** One core stays with whoever reads, writes and decides; four hash faster than disks read. */
const threadsMax = Math.min(availableParallelism() - 1, 4);
/** What more comes while these wait is hashed here: some milliseconds behind, never more. */
const piecesPerThread = 8;

const entry = new URL(`./hash-thread-entry${extname(import.meta.url)}`, import.meta.url);
const threads: HashThread[] = [];
/** After a thread ended unasked, which no hashing does, this process hashes by itself. */
let broken = false;

/**
 * SHA-256 of a piece, on another thread while one has time, else here. The bytes must stay as
 * they are until the answer has come. Pieces of more than a MiB go only where threads see them.
 */
export async function hashPiece(bytes: Uint8Array): Promise<Uint8Array> {
  const fits = bytes.length <= sharedPieceMax || bytes.buffer instanceof SharedArrayBuffer;
  const thread = fits && bytes.length >= hashElsewhereMin ? freeThread() : undefined;
  return thread === undefined ? hash("sha256", bytes, "buffer") : await thread.hash(bytes);
}

function freeThread(): HashThread | undefined {
  if (broken) return undefined;
  const idle = threads.find(({ waiting }) => waiting === 0);
  if (idle !== undefined) return idle;
  if (threads.length < threadsMax) {
    const thread = new HashThread(entry, () => {
      broken = true;
    });
    threads.push(thread);
    return thread;
  }
  return threads.find(({ waiting }) => waiting < piecesPerThread);
}
