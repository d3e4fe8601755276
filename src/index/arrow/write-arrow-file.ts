import { open } from "node:fs/promises";
import { writePieces } from "#index/arrow/write-pieces.ts";
import type { ArrowPiece } from "#model/record-batch.ts";

/** Writes Arrow's interprocess format to a new file; says how many rows it has. */
export async function writeArrowFile(
  path: string,
  pieces: AsyncIterable<ArrowPiece>,
): Promise<number> {
  const file = await open(path, "wx");
  let rows = 0;
  try {
    for await (const piece of pieces) {
      await writePieces(file, piece.bytes);
      rows += piece.rows;
    }
  } finally {
    await file.close();
  }
  return rows;
}
