import { open, rename, rm } from "node:fs/promises";
import type { CID } from "multiformats/cid";
import { BlockFile } from "#content/block-file.ts";
import { SectionMemory } from "#content/section-memory.ts";
import { carOfDag, type CarOrder } from "#content/walk-dag.ts";
import { writePieces } from "#content/write-pieces.ts";

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

/** So much is written at once, while as much is read. */
const heldMax = 2 * 1024 * 1024;
const piecesMax = 1_024;

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
    const roots = await gather(blocks);
    const carBytes = await writeBlocks(draft, { blocks, roots, order, signal });
    await rename(draft, output);
    return { bytes: blocks.bytes, carBytes };
  } finally {
    for (const leftover of [draft, blocksPath]) await rm(leftover, { force: true });
  }
}

interface Writing {
  readonly blocks: BlockFile;
  readonly roots: readonly CID[];
  readonly order: CarOrder;
  readonly signal: AbortSignal;
}

/** Writes some pieces while the next are read; returns how many bytes they were. */
async function writeBlocks(
  draft: string,
  { blocks, roots, order, signal }: Writing,
): Promise<number> {
  await using file = await open(draft, "wx");
  const memory = new SectionMemory();
  let writing: Promise<void> | undefined;
  let pieces: Uint8Array[] = [];
  let [written, held] = [0, 0];
  const write = async (): Promise<void> => {
    await writing;
    const [taken, at] = [pieces, written];
    written += held;
    pieces = [];
    held = 0;
    const writeTaken = async (): Promise<void> => {
      await writePieces(file, taken, at);
      for (const piece of taken) memory.give(piece);
    };
    writing = writeTaken();
    // Its failure is met when its turn comes.
    writing.catch(() => undefined);
  };
  try {
    const making = { ...order, memory: (bytes: number) => memory.take(bytes) };
    for await (const bytes of carOfDag(blocks, roots, making)) {
      signal.throwIfAborted();
      pieces.push(bytes);
      held += bytes.length;
      if (held >= heldMax || pieces.length >= piecesMax) await write();
    }
    await write();
  } finally {
    await writing;
  }
  await file.sync();
  return written;
}
