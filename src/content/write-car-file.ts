import { createWriteStream } from "node:fs";
import { rename, rm, stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import type { CID } from "multiformats/cid";
import { BlockFile } from "#content/block-file.ts";
import { carOfDag, type CarOrder } from "#content/walk-dag.ts";
import type { ByteStream } from "#model/driver.ts";

export interface CarFile {
  /** Of the blocks, each of which is in the CAR once. */
  readonly bytes: number;
  readonly carBytes: number;
}

export interface CarFileOptions extends CarOrder {
  /** Beside the file, and nobody else's. What a killed attempt left there is removed. */
  readonly draft: string;
  readonly signal: AbortSignal;
}

/**
 * Writes a CAR to a file, whole or not at all: all blocks are brought first, each checked, and
 * `gather` says which of them are the roots. Then they are written in the order of `carOfDag`, so
 * that the same roots give the same bytes, wherever their blocks came from.
 */
export async function writeCarFile(
  output: string,
  gather: (blocks: BlockFile) => Promise<readonly CID[]>,
  { draft, signal, ...order }: CarFileOptions,
): Promise<CarFile> {
  const blocksPath = `${draft}.blocks`;
  for (const leftover of [draft, blocksPath]) await rm(leftover, { force: true });
  try {
    await using blocks = await BlockFile.create(blocksPath);
    const car = carOfDag(blocks, await gather(blocks), order);
    const file = createWriteStream(draft, { flags: "wx", flush: true });
    await pipeline(stoppable(car, signal), file);
    await rename(draft, output);
    return { bytes: blocks.bytes, carBytes: (await stat(output)).size };
  } finally {
    for (const leftover of [draft, blocksPath]) await rm(leftover, { force: true });
  }
}

async function* stoppable(stream: ByteStream, signal: AbortSignal): ByteStream {
  for await (const bytes of stream) {
    signal.throwIfAborted();
    yield bytes;
  }
}
