import {
  closeSync,
  fsync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  write,
  writeSync,
} from "node:fs";
import { createHash, randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { systemCode } from "#drivers/local/file-error.ts";

const writeAsync = promisify(write);
const fsyncAsync = promisify(fsync);

/** Below this a blocking write is cheaper than a trip through the thread pool. */
const blockingWriteMax = 64 * 1024;

/** A leftover of a dead process may go after this long; of any other after the longer time. */
const deadAfterMs = 10 * 60_000;
const abandonedAfterMs = 24 * 3_600_000;

const host = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);
const ownName = /^([0-9a-f]{8})\.(\d+)\.[0-9a-f-]{36}\.incoming$/;

/** A file being written, under a name that says whose it is. */
export class IncomingFile {
  readonly path: string;
  #descriptor: number | undefined;
  #published = false;
  #written = 0;

  constructor(folder: string) {
    this.path = `${folder}/${host}.${process.pid}.${randomUUID()}.incoming`;
    // Read-only from the start: stored content is never changed in place.
    this.#descriptor = openSync(this.path, "wx", 0o444);
  }

  /** Bytes written so far. */
  get bytes(): number {
    return this.#written;
  }

  /** Writes all of the chunk; the caller waits before it writes the next. */
  async write(chunk: Uint8Array): Promise<void> {
    const descriptor = this.#open();
    let done = 0;
    while (done < chunk.length) {
      const rest = chunk.length - done;
      done +=
        rest <= blockingWriteMax
          ? writeSync(descriptor, chunk, done, rest, this.#written + done)
          : (await writeAsync(descriptor, chunk, done, rest, this.#written + done)).bytesWritten;
    }
    this.#written += chunk.length;
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
  }

  #open(): number {
    if (this.#descriptor === undefined) throw new Error("the incoming file is closed");
    return this.#descriptor;
  }
}

/**
 * Removes what crashed processes left. Only files named as ours, and only when their process is
 * gone or nothing was written for a day: another worker may be writing right now.
 */
export function removeLeftovers(folder: string, nowMs: number): number {
  let removed = 0;
  for (const name of readdirSync(folder)) {
    const match = ownName.exec(name);
    if (match === null) continue;
    const stat = lstatSync(join(folder, name), { throwIfNoEntry: false });
    if (stat === undefined) continue;
    const idleMs = nowMs - stat.mtimeMs;
    const dead = match[1] === host && !isRunning(Number(match[2]));
    if (idleMs < (dead ? deadAfterMs : abandonedAfterMs)) continue;
    rmSync(join(folder, name), { force: true });
    removed += 1;
  }
  return removed;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) !== "ESRCH";
  }
}
