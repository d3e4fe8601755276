import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { localFileError } from "#jobs/local-file-error.ts";
import type { ByteStream } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";

const pieceBytes = 1024 * 1024;

/** A regular file opened for reading, with the facts it had when it was opened. */
export class LocalFile implements AsyncDisposable {
  readonly path: string;
  readonly size: number;
  readonly created: Date | undefined;
  readonly modified: Date;
  readonly #handle: FileHandle;
  readonly #modifiedNs: bigint;

  private constructor(path: string, handle: FileHandle, facts: Facts) {
    this.path = path;
    this.#handle = handle;
    this.size = Number(facts.size);
    // File systems that do not know it say 1970.
    this.created = facts.birthtimeMs > 0n ? facts.birthtime : undefined;
    this.modified = facts.mtime;
    this.#modifiedNs = facts.mtimeNs;
  }

  /** Never follows a link in the last part of the path, and never waits for a pipe. */
  static async open(path: string): Promise<LocalFile> {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    let handle: FileHandle | undefined;
    try {
      handle = await open(path, flags);
      const facts = await handle.stat({ bigint: true });
      if (!facts.isFile()) throw new EngineError("UNREADABLE", `${path} is no regular file`);
      return new LocalFile(path, handle, facts);
    } catch (thrown) {
      await handle?.close();
      throw localFileError(thrown, path);
    }
  }

  /** The whole file at once; for small ones. */
  async bytes(): Promise<Uint8Array> {
    const bytes = Buffer.allocUnsafeSlow(this.size);
    const read = await this.#fill(bytes, 0);
    if (read < this.size) throw this.#changed();
    return bytes;
  }

  /** The file from its start, in fresh pieces; the next is read while one is being worked on. */
  async *stream(): ByteStream {
    let next = this.#piece(0);
    try {
      for (let at = 0; at < this.size; at += pieceBytes) {
        const piece = await next;
        if (at + pieceBytes < this.size) {
          next = this.#piece(at + pieceBytes);
          // Its failure is met at the next turn, if there is one.
          next.catch(() => undefined);
        }
        yield piece;
      }
    } finally {
      await next.catch(() => undefined);
    }
  }

  /** Throws CONFLICT when the file is not as it was when it was opened. */
  async checkUnchanged(): Promise<void> {
    const now = await this.#handle.stat({ bigint: true });
    if (Number(now.size) !== this.size || now.mtimeNs !== this.#modifiedNs) throw this.#changed();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }

  async #piece(at: number): Promise<Uint8Array> {
    const bytes = Buffer.allocUnsafeSlow(Math.min(pieceBytes, this.size - at));
    const read = await this.#fill(bytes, at);
    if (read < bytes.length) throw this.#changed();
    return bytes;
  }

  async #fill(bytes: Uint8Array, position: number): Promise<number> {
    try {
      for (let filled = 0; ;) {
        const wanted = bytes.length - filled;
        if (wanted === 0) return filled;
        const { bytesRead } = await this.#handle.read(bytes, filled, wanted, position + filled);
        if (bytesRead === 0) return filled;
        filled += bytesRead;
      }
    } catch (thrown) {
      throw localFileError(thrown, this.path);
    }
  }

  #changed(): EngineError {
    return new EngineError("CONFLICT", `${this.path} changed while it was read`, {
      retryable: false,
      hint: "import it again when nothing writes to it",
    });
  }
}

interface Facts {
  readonly size: bigint;
  readonly birthtimeMs: bigint;
  readonly birthtime: Date;
  readonly mtime: Date;
  readonly mtimeNs: bigint;
}
