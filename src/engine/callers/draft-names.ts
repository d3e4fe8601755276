import { createHash, randomBytes } from "node:crypto";
import { lstat, readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { hasEnded, ownLife, type ProcessLife } from "#content/process-life.ts";

/** Stands for a process where the system does not tell one from another. */
const someone: ProcessLife = { space: "0".repeat(16), pid: process.pid, began: "0" };
/** Behind the name of a draft: who writes it, or that it is left to the next attempt. */
const suffix = /^\.(?:left|([0-9a-f]{16})\.(\d+)\.(\d+))\.[0-9a-f]{8}(?:\.blocks)?$/;
/** What nobody wrote to for so long may be read, whoever wrote it; for a day, removed. */
const quietAfterMs = 60_000;
const abandonedAfterMs = 24 * 3_600_000;
/** Most file systems take 255 bytes, and what stands behind takes up to 65. */
const nameBytesMax = 190;

/** A name for the draft of `path` that no other attempt uses, here or elsewhere. */
export function draftName(path: string, state: "writing" | "left" = "writing"): string {
  const { space, pid, began } = ownLife ?? someone;
  const writer = state === "left" ? "left" : `${space}.${pid}.${began}`;
  return `${beginningOf(path)}.${writer}.${randomBytes(4).toString("hex")}`;
}

/** What an earlier attempt left. */
export interface LeftDraft {
  readonly path: string;
  readonly bytes: number;
  readonly changedMs: number;
  readonly isFile: boolean;
  /** Nobody writes to it any more: its writer has ended, or left it to others. */
  readonly isFree: boolean;
  /** Its writer is of another machine or container, or start of this one, and has written nothing for a minute. */
  readonly isQuiet: boolean;
  /** Or for a day. */
  readonly isAbandoned: boolean;
}

/** What earlier attempts left of a draft, and what others may be writing. */
export async function leftDrafts(path: string): Promise<readonly LeftDraft[]> {
  const [folder, name] = [dirname(path), basename(beginningOf(path))];
  const names = await readdir(folder).catch((): readonly string[] => []);
  const ours = names.filter((found) => {
    const rest = found.startsWith(name) ? found.slice(name.length) : undefined;
    // As earlier versions called it, which two attempts could write at once.
    return rest !== undefined && (rest === "" || rest === ".blocks" || suffix.test(rest));
  });
  const drafts = await Promise.all(
    ours.map(async (found) => await draftAt(join(folder, found), found.slice(name.length))),
  );
  return drafts.flat();
}

async function draftAt(path: string, rest: string): Promise<readonly LeftDraft[]> {
  // Not where a link leads to: that is somebody's file.
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined || found.isSymbolicLink()) return [];
  const [, space, pid, began] = suffix.exec(rest) ?? [];
  const isFree = space === undefined || hasEnded({ space, pid: Number(pid), began: began ?? "" });
  const idleMs = Date.now() - found.mtimeMs;
  const isElsewhere = !isFree && space !== ownLife?.space;
  return [
    {
      path,
      bytes: found.size,
      changedMs: found.mtimeMs,
      isFile: found.isFile(),
      isFree,
      isQuiet: isElsewhere && idleMs >= quietAfterMs,
      isAbandoned: isElsewhere && idleMs >= abandonedAfterMs,
    },
  ];
}

/** Where the names of all drafts of a path begin: a shorter one where there is too little room. */
function beginningOf(path: string): string {
  const name = basename(path);
  if (Buffer.byteLength(name) <= nameBytesMax) return path;
  const short = createHash("sha256").update(name).digest("hex").slice(0, 32);
  return join(dirname(path), `.${short}.part`);
}
