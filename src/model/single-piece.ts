/** Content up to this size may be held in memory whole; what is larger passes as a stream. */
export const singlePieceMax = 256 * 1024;

/**
 * A stream of few bytes that come in one piece, opened when somebody asks for them. Who knows
 * takes them at once: for a small object, passing a chain of streams costs many times what is
 * done with its bytes. To everybody else it is a stream like any other.
 */
export class SinglePiece implements AsyncIterable<Uint8Array> {
  readonly #open: () => Uint8Array | Promise<Uint8Array>;

  constructor(open: () => Uint8Array | Promise<Uint8Array>) {
    this.#open = open;
  }

  /** The bytes; asked for once. */
  async take(): Promise<Uint8Array> {
    return await this.#open();
  }

  /** The same bytes after they passed a check, a meter or a wait. */
  through(pass: (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>): SinglePiece {
    return new SinglePiece(async () => pass(await this.take()));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const bytes = await this.take();
    if (bytes.length > 0) yield bytes;
  }
}
