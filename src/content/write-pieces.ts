import type { FileHandle } from "node:fs/promises";

/** `IOV_MAX` of Linux. */
const piecesPerCall = 1_024;

/** Writes pieces one behind the other, as many in one call as the system takes. */
export async function writePieces(
  file: FileHandle,
  pieces: readonly Uint8Array[],
  position: number,
): Promise<void> {
  let at = position;
  for (let first = 0; first < pieces.length; first += piecesPerCall) {
    let rest = pieces.slice(first, first + piecesPerCall);
    while (rest.some(({ length }) => length > 0)) {
      const { bytesWritten } = await file.writev(rest, at);
      at += bytesWritten;
      rest = withoutFirst(rest, bytesWritten);
    }
  }
}

/** What is left of pieces after so many of their bytes. */
function withoutFirst(pieces: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let taken = bytes;
  let whole = 0;
  for (const { length } of pieces) {
    if (length > taken) break;
    taken -= length;
    whole += 1;
  }
  const [cut, ...rest] = pieces.slice(whole);
  return cut === undefined ? [] : [cut.subarray(taken), ...rest];
}
