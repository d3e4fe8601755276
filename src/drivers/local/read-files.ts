import { closeSync, constants, openSync, readSync } from "node:fs";
import { isAddressOf } from "#content/address-file.ts";
import { type GroupQuestion, groupState } from "#drivers/local/thread-question.ts";
import { objectFile } from "#drivers/local/object-file.ts";
import type { StoreFolder } from "#drivers/local/store-folder.ts";

/** Neither a link is followed nor a pipe waited for, in case one stands in a file's place. */
export const readOnly = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Reads those files of a group that are there and are what they should be, in blocking calls. */
export function readFiles(folder: StoreFolder, question: GroupQuestion): void {
  const { profile, sizes, places, memory, results } = question;
  for (const [number, cid] of question.cids.split("\n").entries()) {
    const size = sizes[number] ?? 0;
    const place = places[number] ?? 0;
    if (Atomics.load(results.stop, 0) !== 0) return;
    try {
      const { shard, name } = objectFile(cid, "file");
      const path = folder.seenShard(shard);
      if (path === undefined || !readExactly(`${path}/${name}`, memory, place, size)) continue;
      const bytes = memory.subarray(place, place + size);
      if (isAddressOf(cid, bytes, profile)) results.states[number] = groupState.done;
    } catch {
      // Left to the caller.
    }
  }
}

const oneByte = Buffer.alloc(1);

/**
 * Reads a file of so many bytes to a place in memory; false when it has fewer or more. The byte
 * after them is asked for, too: that it is not there saves asking for the size.
 */
export function readExactly(path: string, memory: Uint8Array, at: number, size: number): boolean {
  const descriptor = openSync(path, readOnly);
  try {
    const isRoom = at + size < memory.length;
    const count = readSync(descriptor, memory, at, isRoom ? size + 1 : size, 0);
    return count === size && (isRoom || readSync(descriptor, oneByte, 0, 1, size) === 0);
  } finally {
    closeSync(descriptor);
  }
}
