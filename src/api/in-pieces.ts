/** Lines travel in pieces of this length: a call per line would cost more than the line. */
const pieceLength = 64 * 1024;

/** Lines in pieces of many. */
export async function* inPieces(lines: AsyncIterable<string>): AsyncGenerator<string> {
  let piece = "";
  for await (const line of lines) {
    piece += `${line}\n`;
    if (piece.length < pieceLength) continue;
    yield piece;
    piece = "";
  }
  if (piece !== "") yield piece;
}
