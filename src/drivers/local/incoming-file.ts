import {
  chmodSync,
  closeSync,
  fsync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  write,
  writeSync,
} from "node:fs";
import { promisify } from "node:util";
import { systemCode } from "#drivers/local/file-error.ts";
import {
  claimLeft,
  incomingName,
  type Left,
  removeLeftovers,
  removeOldestLeftover,
  resumedBytesMin,
  touch,
} from "#drivers/local/leftovers.ts";

const writeAsync = promisify(write);
const fsyncAsync = promisify(fsync);

/** Below this a blocking write is cheaper than a trip through the thread pool. */
const blockingWriteMax = 64 * 1024;

/** What is being gone on with is marked as in use this often. */
const touchAfterMs = 10_000;
const titleLengthMax = 120;

/** A file being written, under a name that says whose it is. */
export class IncomingFile {
  readonly path: string;
  #descriptor: number | undefined;
  #published = false;
  #written = 0;
  readonly #folder: string;
  readonly #title: string;
  /** What an earlier try has written; where the file itself is ours, it is not written again. */
  #left: Left | undefined;
  #touchedAt = performance.now();
  #mayGoOn = false;

  /** `title` names what is written, so that a later try can find what this one leaves. */
  constructor(folder: string, title = "") {
    this.#folder = folder;
    this.#title = title.length > titleLengthMax ? "" : title;
    this.path = `${folder}/${incomingName(this.#title)}`;
    this.#left = this.#title === "" ? undefined : claimLeft(folder, this.#title, this.path);
    if (this.#left?.isOurs === true) this.#descriptor = openLeft(this.path);
    if (this.#descriptor !== undefined) return;
    if (this.#left?.isOurs === true) this.#left = undefined;
    // Read-only from the start: stored content is never changed in place.
    this.#descriptor = openSync(this.path, "wx", 0o444);
  }

  /** Bytes at its beginning that an earlier try has left. */
  get left(): number {
    return this.#left?.bytes ?? 0;
  }

  /** Where they are. */
  get leftPath(): string {
    return this.#left?.path ?? this.path;
  }

  /** Bytes that have their room on the disk already. */
  get here(): number {
    return this.#left?.isOurs === true ? this.#left.bytes : 0;
  }

  /** Uses only so many of what was left. */
  leave(bytes: number): void {
    if (this.#left === undefined) return;
    if (this.#left.isOurs) ftruncateSync(this.#open(), bytes);
    this.#left = { ...this.#left, bytes };
  }

  /** Does without what was left, where that takes room of its own; false when it takes none. */
  dropLeft(): boolean {
    if (this.#left === undefined || this.#left.isOurs) return false;
    rmSync(this.#left.path, { force: true });
    this.#left = undefined;
    return true;
  }

  /** Lets a later try go on from here, if it is worth it. */
  keep(): void {
    if (this.#published || this.#title === "") return;
    this.#mayGoOn = true;
    const bytes = Math.max(this.here, this.#written);
    if (bytes < resumedBytesMin || bytes < this.left) return;
    // From here on nobody writes to the file, which is what its next name says.
    this.close();
    try {
      renameSync(this.path, `${this.#folder}/${incomingName(this.#title, "left")}`);
    } catch (error) {
      // Somebody took us for dead.
      if (systemCode(error) !== "ENOENT") throw error;
    }
    this.#published = true;
    this.dropLeft();
    try {
      removeLeftovers(this.#folder, Date.now());
    } catch {
      // The next look at the store tidies up.
    }
  }

  /** Bytes written so far. */
  get bytes(): number {
    return this.#written;
  }

  /** Writes all of the chunk; the caller waits before it writes the next. */
  async write(chunk: Uint8Array): Promise<void> {
    const descriptor = this.#open();
    let done = Math.min(chunk.length, Math.max(0, this.here - this.#written));
    while (done < chunk.length) {
      const rest = chunk.length - done;
      try {
        done +=
          rest <= blockingWriteMax
            ? writeSync(descriptor, chunk, done, rest, this.#written + done)
            : (await writeAsync(descriptor, chunk, done, rest, this.#written + done)).bytesWritten;
      } catch (error) {
        // What is only there to spare some bytes gives way.
        const isFull = ["ENOSPC", "EDQUOT"].includes(systemCode(error) ?? "");
        if (!isFull || !removeOldestLeftover(this.#folder)) throw error;
      }
    }
    this.#written += chunk.length;
    if (this.left > 0) this.#marksUse();
  }

  /** While the beginning is gone through, nobody else may take it for forgotten. */
  #marksUse(): void {
    if (this.#written >= this.left) {
      this.dropLeft();
      return;
    }
    if (performance.now() - this.#touchedAt < touchAfterMs) return;
    this.#touchedAt = performance.now();
    for (const path of new Set([this.path, this.leftPath])) {
      try {
        touch(path);
      } catch {
        // Gone: reading or naming it says so.
      }
    }
  }

  /** The same in blocking calls, for a thread that has nothing else to do. */
  writeBlocking(chunk: Uint8Array): void {
    const descriptor = this.#open();
    for (let done = 0; done < chunk.length;) {
      done += writeSync(descriptor, chunk, done, chunk.length - done, this.#written + done);
    }
    this.#written += chunk.length;
  }

  async sync(): Promise<void> {
    await fsyncAsync(this.#open());
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  /** Gives the file its lasting name. */
  publish(path: string): void {
    renameSync(this.path, path);
    this.#published = true;
  }

  /** Leaves nothing behind, whatever state the writing was in. */
  discard(): void {
    this.close();
    if (!this.#published) rmSync(this.path, { force: true });
    if (!this.#mayGoOn) this.dropLeft();
  }

  #open(): number {
    if (this.#descriptor === undefined) throw new Error("the incoming file is closed");
    return this.#descriptor;
  }
}

/** Opens what was left to go on with it; undefined, and gone, where that cannot be done. */
function openLeft(path: string): number | undefined {
  try {
    chmodSync(path, 0o600);
    const descriptor = openSync(path, "r+");
    chmodSync(path, 0o444);
    return descriptor;
  } catch {
    rmSync(path, { force: true });
    return undefined;
  }
}
