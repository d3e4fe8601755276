import { createHash, type Hash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync, renameSync, writeSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

const filesAtOnce = 8;
const chunkBytes = 1024 * 1024;

/**
 * The fastest loop that one thread can run: blocking calls, one piece of memory, one file after the
 * other. It reads, hashes, writes beside and renames; then perhaps reads and hashes again, as the
 * engine does.
 */
export async function blockingCopy(
  folder: string,
  count: number,
  readBack: boolean,
): Promise<void> {
  const memory = Buffer.allocUnsafeSlow(chunkBytes);
  for (let at = 0; at < count; at += 1) {
    const from = join(folder, `${at}`);
    const to = openSync(`${from}.part`, "w");
    const written = hashFile(from, memory, (bytes) => {
      writeSync(to, memory, 0, bytes);
    });
    closeSync(to);
    renameSync(`${from}.part`, `${from}.copy`);
    if (!readBack) continue;
    const found = hashFile(`${from}.copy`, memory, () => undefined);
    if (!found.equals(written)) throw new Error(`the copy of ${from} is not like it`);
  }
}

function hashFile(path: string, memory: Buffer, onPiece: (bytes: number) => void): Buffer {
  const file = openSync(path, "r");
  const { size } = fstatSync(file);
  const hash: Hash = createHash("sha256");
  for (let done = 0; done < size;) {
    const bytes = readSync(file, memory, 0, chunkBytes, done);
    hash.update(memory.subarray(0, bytes));
    onPiece(bytes);
    done += bytes;
  }
  closeSync(file);
  return hash.digest();
}

/** What most would write: the same with promises, eight files at a time, each in fresh memory. */
export async function promisedCopy(
  folder: string,
  count: number,
  readBack: boolean,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const from = join(folder, `${next}`);
      next += 1;
      const bytes = await readFile(from);
      createHash("sha256").update(bytes).digest();
      await writeFile(`${from}.part`, bytes);
      await rename(`${from}.part`, `${from}.copy`);
      if (readBack) {
        createHash("sha256")
          .update(await readFile(`${from}.copy`))
          .digest();
      }
    }
  };
  await Promise.all(Array.from({ length: filesAtOnce }, lane));
}
