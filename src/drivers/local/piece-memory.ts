/** Bytes of one piece of a file that is streamed. */
export const pieceBytes = 1024 * 1024;

/** What a node with many copies under way has in use at a time; more is given up. */
const spareMax = 64;

const spare: Buffer[] = [];
const lost = new WeakSet<ArrayBufferLike>();

/**
 * Memory for one piece, filled before if possible: the system clears fresh memory, and the garbage
 * collector runs for it, which together cost more than reading into it. Other threads can see it.
 */
export function takePiece(): Buffer {
  return spare.pop() ?? Buffer.from(new SharedArrayBuffer(pieceBytes));
}

/** Takes back memory that nobody reads or writes any more. */
export function givePiece(piece: Buffer): void {
  if (spare.length < spareMax && !lost.has(piece.buffer)) spare.push(piece);
}

/** Memory that somebody may still read or write, nobody knows for how long: it is not used again. */
export function losePiece({ buffer }: Uint8Array): void {
  lost.add(buffer);
}
