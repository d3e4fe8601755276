import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { DatabaseFile } from "#index/database-file.ts";
import type { EngineError } from "#model/engine-error.ts";

/** So much more must be free than after a checkpoint that found no room, for the next one. */
const furtherBytes = 64 * 2 ** 20;
/** Quotas are not told by the file system: then it is tried again after this time. */
const restMs = 10 * 60_000;

/**
 * The time after a checkpoint that found no room on the disk. DuckDB gives the file up then, and every
 * reader with it; a log that finds no room only refuses one write. So until there is room again
 * all goes into the log.
 */
export class CheckpointRest {
  #until: { readonly freeBytes: number; readonly ms: number } | undefined;

  /** Has a file that was opened again because of a failure rest, if that was for want of room. */
  async begin(file: DatabaseFile, { code, message }: EngineError): Promise<void> {
    if (code === "NO_SPACE" && !/memory/i.test(message)) {
      const freeBytes = (await freeBytesBeside(file.path)) + furtherBytes;
      this.#until = { freeBytes, ms: performance.now() + restMs };
    }
    if (this.#until !== undefined) await file.setCheckpoints("never");
  }

  /** Whether checkpoints are made; they are from the moment on in which there is room. */
  async isOver(file: DatabaseFile): Promise<boolean> {
    const until = this.#until;
    if (until === undefined) return true;
    const hasRoom = (await freeBytesBeside(file.path)) >= until.freeBytes;
    if (!hasRoom && performance.now() < until.ms) return false;
    await file.setCheckpoints("by-size");
    this.#until = undefined;
    return true;
  }
}

async function freeBytesBeside(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(dirname(path));
  return bavail * bsize;
}
