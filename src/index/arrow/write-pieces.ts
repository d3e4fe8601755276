import type { FileHandle } from "node:fs/promises";

/** Writes all of these bytes: one call may take fewer than it was given. */
export async function writePieces(
  file: Pick<FileHandle, "writev">,
  pieces: readonly Uint8Array[],
): Promise<void> {
  let rest = pieces.filter((piece) => piece.length > 0);
  while (rest.length > 0) {
    const { bytesWritten } = await file.writev([...rest]);
    rest = after(rest, bytesWritten);
  }
}

function after(pieces: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let skip = bytes;
  return pieces.flatMap((piece) => {
    const skipped = Math.min(skip, piece.length);
    skip -= skipped;
    return skipped === piece.length ? [] : [piece.subarray(skipped)];
  });
}
