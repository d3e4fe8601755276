/** Pieces as one: a single one as it is, others copied into what `memory` gives for so many bytes. */
export function joinedPieces(
  pieces: readonly Uint8Array[],
  memory: (bytes: number) => Uint8Array,
): Uint8Array {
  const [first] = pieces;
  if (pieces.length === 1 && first !== undefined) return first;
  const whole = memory(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
