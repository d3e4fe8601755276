import { closeSync, constants, fstatSync, openSync, read, readSync } from "node:fs";
import { promisify } from "node:util";
import { localFileError } from "#jobs/local-file-error.ts";
import type { ByteStream } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";

const pieceBytes = 1024 * 1024;
const readAsync = promisify(read);

/**
 * A regular file opened for reading, with the facts it had when it was opened. What takes
 * microseconds (opening, a small read) is done at once: handing it to another thread would take
 * several times as long, and a folder can have millions of small files.
 */
export class LocalFile implements Disposable {
  readonly path: string;
  readonly size: number;
  readonly created: Date | undefined;
  readonly modified: Date;
  readonly #descriptor: number;
  #isOpen = true;
  readonly #modifiedNs: bigint;

  private constructor(path: string, descriptor: number, facts: Facts) {
    this.path = path;
    this.#descriptor = descriptor;
    this.size = Number(facts.size);
    // File systems that do not know it say 1970.
    this.created = facts.birthtimeMs > 0n ? facts.birthtime : undefined;
    this.modified = facts.mtime;
    this.#modifiedNs = facts.mtimeNs;
  }

  /** Never follows a link in the last part of the path, and never waits for a pipe. */
  static open(path: string): LocalFile {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    let descriptor: number | undefined;
    try {
      descriptor = openSync(path, flags);
      const facts = fstatSync(descriptor, { bigint: true });
      if (!facts.isFile()) throw new EngineError("UNREADABLE", `${path} is no regular file`);
      return new LocalFile(path, descriptor, facts);
    } catch (thrown) {
      if (descriptor !== undefined) closeSync(descriptor);
      throw localFileError(thrown, path);
    }
  }

  /** The whole file at once; for small ones. */
  bytes(): Uint8Array {
    const bytes = Buffer.allocUnsafe(this.size);
    try {
      for (let filled = 0; filled < bytes.length;) {
        const wanted = bytes.length - filled;
        const count = readSync(this.#descriptor, bytes, filled, wanted, filled);
        if (count === 0) throw this.#changed();
        filled += count;
      }
      return bytes;
    } catch (thrown) {
      throw localFileError(thrown, this.path);
    }
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
  checkUnchanged(): void {
    const now = fstatSync(this.#descriptor, { bigint: true });
    if (Number(now.size) !== this.size || now.mtimeNs !== this.#modifiedNs) throw this.#changed();
  }

  /** Harmless when it is closed already. */
  close(): void {
    if (this.#isOpen) closeSync(this.#descriptor);
    this.#isOpen = false;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #piece(position: number): Promise<Uint8Array> {
    const bytes = Buffer.allocUnsafeSlow(Math.min(pieceBytes, this.size - position));
    try {
      for (let filled = 0; filled < bytes.length;) {
        const wanted = bytes.length - filled;
        const at = position + filled;
        const { bytesRead } = await readAsync(this.#descriptor, bytes, filled, wanted, at);
        if (bytesRead === 0) throw this.#changed();
        filled += bytesRead;
      }
      return bytes;
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
