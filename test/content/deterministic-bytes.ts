import { createCipheriv, hash } from "node:crypto";

/**
 * The reproducible "random" bytes that Kubo's and js-ipfs-unixfs' IPIP-499 tests hash: the
 * ChaCha20 key stream under SHA-256 of a seed, with a nonce of zeros.
 */
export function* deterministicBytes(
  size: number,
  seed: string,
  pieceBytes = 1024 * 1024,
): Generator<Uint8Array> {
  const cipher = createCipheriv("chacha20", hash("sha256", seed, "buffer"), Buffer.alloc(16));
  const zeros = Buffer.alloc(Math.min(size, pieceBytes));
  for (let rest = size; rest > 0; rest -= zeros.length) {
    yield cipher.update(zeros.subarray(0, Math.min(rest, zeros.length)));
  }
}

/** A stream over given pieces, as drivers hand it out. */
export async function* streamOf(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield piece;
}

/** The same bytes cut at other places. */
export function* cut(bytes: Uint8Array, pieceBytes: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

export async function collect(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
}
