import {
  chmodSync,
  closeSync,
  fsync,
  ftruncateSync,
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
const ownName = /^([0-9a-f]{8})\.(\d+)\.[0-9a-f-]{36}(?:\.([0-9A-Za-z]+))?\.incoming$/;
/** Stands for a process that has done with a file and left it to the next. */
const nobody = 0;
/** Less than this is sent again as fast as it is looked for. */
export const resumedBytesMin = 8 * 1024 * 1024;
const titleLengthMax = 120;

/** A file being written, under a name that says whose it is. */
export class IncomingFile {
  readonly path: string;
  #descriptor: number | undefined;
  #published = false;
  #written = 0;
  readonly #folder: string;
  readonly #title: string;
  /** Bytes that an earlier try has written; they are not written a second time. */
  #left = 0;

  /** `title` names what is written, so that a later try can find what this one leaves. */
  constructor(folder: string, title = "") {
    this.#folder = folder;
    this.#title = title.length > titleLengthMax ? "" : title;
    this.path = this.#pathFor(process.pid);
    const left = this.#title === "" ? undefined : claimLeft(folder, this.#title, this.path);
    if (left === undefined) {
      // Read-only from the start: stored content is never changed in place.
      this.#descriptor = openSync(this.path, "wx", 0o444);
      return;
    }
    chmodSync(this.path, 0o600);
    this.#descriptor = openSync(this.path, "r+");
    chmodSync(this.path, 0o444);
    this.#left = left;
  }

  /** Bytes at its beginning that an earlier try has left here. */
  get left(): number {
    return this.#left;
  }

  /** Uses only so many of what was left. */
  leave(bytes: number): void {
    ftruncateSync(this.#open(), bytes);
    this.#left = bytes;
  }

  /** Lets a later try go on from here, if it is worth it. */
  keep(): void {
    if (this.#published || this.#title === "") return;
    if (Math.max(this.#left, this.#written) < resumedBytesMin) return;
    this.close();
    renameSync(this.path, this.#pathFor(nobody));
    this.#published = true;
  }

  #pathFor(pid: number): string {
    const title = this.#title === "" ? "" : `.${this.#title}`;
    return `${this.#folder}/${host}.${pid}.${randomUUID()}${title}.incoming`;
  }

  /** Bytes written so far. */
  get bytes(): number {
    return this.#written;
  }

  /** Writes all of the chunk; the caller waits before it writes the next. */
  async write(chunk: Uint8Array): Promise<void> {
    const descriptor = this.#open();
    let done = Math.min(chunk.length, Math.max(0, this.#left - this.#written));
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
    const mayGoOn = match[3] !== undefined && stat.size >= resumedBytesMin;
    const dead = isDead(match) && !mayGoOn;
    if (idleMs < (dead ? deadAfterMs : abandonedAfterMs)) continue;
    rmSync(join(folder, name), { force: true });
    removed += 1;
  }
  return removed;
}

/** Makes the furthest of what dead processes left of something ours; says how far it is. */
function claimLeft(folder: string, title: string, path: string): number | undefined {
  const found = readdirSync(folder).flatMap((name) => {
    const match = ownName.exec(name);
    if (match?.[3] !== title || !isDead(match)) return [];
    const size = lstatSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0;
    return size < resumedBytesMin ? [] : [{ name, size }];
  });
  for (const { name, size } of found.toSorted((a, b) => b.size - a.size)) {
    try {
      renameSync(join(folder, name), path);
      return size;
    } catch (error) {
      // Another writer of the same was faster.
      if (systemCode(error) !== "ENOENT") throw error;
    }
  }
  return undefined;
}

function isDead([, of, pid]: readonly string[]): boolean {
  return of === host && (Number(pid) === nobody || !isRunning(Number(pid)));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) !== "ESRCH";
  }
}
