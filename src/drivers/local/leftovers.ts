import { createHash, randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { lstatSync, readdirSync, renameSync, rmSync, statfsSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { hasEnded, ownLife, type ProcessLife } from "#content/process-life.ts";

/** A leftover of a dead process may go after this long; of any other after the longer time. */
const deadAfterMs = 10 * 60_000;
const abandonedAfterMs = 24 * 3_600_000;
/** What nobody wrote to for so long is given up by whoever wrote it, as far as one can tell. */
const quietAfterMs = 60_000;
/** Less than this is sent again as fast as it is looked for. */
export const resumedBytesMin = 8 * 1024 * 1024;
/** What is left for later tries takes no more of the disk, but for the newest. */
const leftShareOfDisk = 0.05;

const host = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);
const someone: ProcessLife = { space: "0".repeat(16), pid: process.pid, began: "0" };
/** Stands for a process that has done with a file and left it to the next. */
const nobody: ProcessLife = { space: "0".repeat(16), pid: 0, began: "0" };
const ownName =
  /^([0-9a-f]{8})(?:\.([0-9a-f]{16}))?\.(\d+)(?:\.(\d+))?\.[0-9a-f-]{36}(?:\.([0-9A-Za-z]+))?\.incoming$/;

/** The name of a file that this process writes, or that is left to the next one. */
export function incomingName(title: string, left: "writing" | "left" = "writing"): string {
  const { space, pid, began } = left === "left" ? nobody : (ownLife ?? someone);
  const suffix = title === "" ? "" : `.${title}`;
  return `${host}.${space}.${pid}.${began}.${randomUUID()}${suffix}.incoming`;
}

/** The beginning of a file that an earlier try has left. */
export interface Left {
  readonly path: string;
  readonly bytes: number;
  /**
   * Whether the file itself is ours now, because nobody else can still write to it. Else its bytes
   * may be read, and the file must never become a stored one.
   */
  readonly isOurs: boolean;
}

/**
 * Finds the furthest of what earlier tries left of something. What is certain to have no writer is
 * renamed to `path`, which only one can do. What may have one, in another container say, is offered
 * for reading when nobody wrote to it for a minute.
 */
export function claimLeft(folder: string, title: string, path: string): Left | undefined {
  const found = leftovers(folder, Date.now()).filter(
    (left) => left.title === title && left.isCache,
  );
  for (const left of found.toSorted((a, b) => b.bytes - a.bytes)) {
    if (left.bytes < resumedBytesMin) continue;
    try {
      if (!left.isFree) {
        // Others leave it alone for as long as it does not look quiet.
        touch(left.path);
        return { path: left.path, bytes: left.bytes, isOurs: false };
      }
      renameSync(left.path, path);
      touch(path);
      return { path, bytes: left.bytes, isOurs: true };
    } catch {
      // Another writer of the same was faster, or it is not ours to use: there may be others.
    }
  }
  return undefined;
}

/** Makes a file look written to just now. */
export function touch(path: string): void {
  const now = new Date();
  utimesSync(path, now, now);
}

/**
 * Removes what crashed processes left. Only files named as ours, and only when their process is
 * gone or nothing was written for a day: another worker may be writing right now. Of what
 * stays for later tries the oldest go where it takes more than its share of the disk. Returns the
 * bytes of what is still there for later tries.
 */
export function removeLeftovers(folder: string, nowMs: number): number {
  const cache: Leftover[] = [];
  for (const left of leftovers(folder, nowMs)) {
    const mayGoOn = left.title !== "" && left.bytes >= resumedBytesMin;
    const isDead = left.seemsDead && !mayGoOn;
    if (left.idleMs >= (isDead ? deadAfterMs : abandonedAfterMs))
      rmSync(left.path, { force: true });
    else if (left.isCache) cache.push(left);
  }
  if (cache.length === 0) return 0;
  const disk = statfsSync(folder);
  const share = disk.blocks * disk.bsize * leftShareOfDisk;
  let kept = 0;
  for (const { path, bytes } of cache.toSorted((a, b) => a.idleMs - b.idleMs)) {
    if (kept > 0 && kept + bytes > share) rmSync(path, { force: true });
    else kept += bytes;
  }
  return kept;
}

/** Makes room on the disk by the oldest of what is left for later tries; false when there is none. */
export function removeOldestLeftover(folder: string): boolean {
  const cache = leftovers(folder, Date.now()).filter(({ isCache }) => isCache);
  const oldest = cache.toSorted((a, b) => b.idleMs - a.idleMs)[0];
  if (oldest === undefined) return false;
  rmSync(oldest.path, { force: true });
  return true;
}

interface Leftover {
  readonly path: string;
  readonly title: string;
  readonly bytes: number;
  readonly idleMs: number;
  /** It is certain that nobody has it open for writing. */
  readonly isFree: boolean;
  /** As far as its name tells; good enough for what would be removed anyway. */
  readonly seemsDead: boolean;
  /** Nobody needs it, but for sparing a later try some of its bytes. */
  readonly isCache: boolean;
}

function leftovers(folder: string, nowMs: number): readonly Leftover[] {
  return readdirSync(folder).flatMap((name) => {
    const match = ownName.exec(name);
    if (match === null) return [];
    const path = join(folder, name);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return [];
    const [, of, space = "", pid = "", began = "", title = ""] = match;
    const writer: ProcessLife = { space, pid: Number(pid), began };
    const isHere = of === host;
    const isLeft = space === nobody.space && writer.pid === nobody.pid;
    const isFree = isHere && (isLeft || hasEnded(writer));
    const idleMs = nowMs - stat.mtimeMs;
    const isQuiet = idleMs >= quietAfterMs && title !== "" && stat.size >= resumedBytesMin;
    const isOwn = space === ownLife?.space && writer.pid === process.pid && began === ownLife.began;
    return {
      path,
      title,
      bytes: stat.size,
      idleMs,
      isFree,
      seemsDead: isFree || (isHere && !isOwn && seemsEnded(writer)),
      isCache: isFree || (isHere && isQuiet && space !== ownLife?.space),
    };
  });
}

/** Whether no other process has that number here, which in a container says little. */
function seemsEnded({ space, pid }: ProcessLife): boolean {
  if (space === ownLife?.space) return false;
  if (pid === 0) return true;
  // A container that begins again gives its processes the numbers they had.
  if (pid === process.pid) return ownLife !== undefined;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ESRCH";
  }
}
