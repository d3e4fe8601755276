import { opendir } from "node:fs/promises";
import { join } from "node:path";
import { storeMarker } from "#jobs/walk-tree.ts";

/** Entries of a folder that are asked for at once. */
const entriesAtOnce = 1_024;

/** Counts the files of a folder while something else works on them, so that it can tell how long. */
export class FileCount {
  #total: number | undefined;
  /** When the counting has ended, however it did. Never rejects: a count that fails says nothing. */
  readonly ended: Promise<void>;

  constructor(root: string, signal: AbortSignal) {
    this.ended = this.#countUp(root, signal).catch(() => undefined);
  }

  /** As a part of progress; nothing until all are counted. Files may have come since. */
  total(done: number): { readonly filesTotal?: number } {
    return this.#total === undefined ? {} : { filesTotal: Math.max(this.#total, done) };
  }

  async #countUp(root: string, signal: AbortSignal): Promise<void> {
    const folders = [root];
    let total = 0;
    for (let path = folders.pop(); path !== undefined; path = folders.pop()) {
      const { files, below } = await countIn(path, path === root, signal);
      if (signal.aborted) return;
      total += files;
      // One by one: a call takes only so many arguments, and folders hold more.
      for (const name of below) folders.push(join(path, name));
    }
    this.#total = total;
  }
}

/** What is right in a folder; nothing where it cannot be read, or is left out of imports. */
async function countIn(folder: string, isRoot: boolean, signal: AbortSignal) {
  const found = { files: 0, below: [] as string[] };
  try {
    for await (const entry of await opendir(folder, { bufferSize: entriesAtOnce })) {
      if (signal.aborted) break;
      if (entry.isFile()) found.files += 1;
      else if (entry.isDirectory()) found.below.push(entry.name);
      if (entry.name === storeMarker && !isRoot) return { files: 0, below: [] };
    }
  } catch {
    // Whoever works on the files meets it, too, and says what it is.
  }
  return found;
}
