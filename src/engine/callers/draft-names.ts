import { createHash, randomBytes } from "node:crypto";
import { readlinkSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";

/** Behind the name of a draft: who writes it, on which space of processes; `.blocks` is a file beside it. */
const writerSuffix = /^\.([0-9a-f]{8})\.(\d+)\.[0-9a-f]{8}(?:\.blocks)?$/;

/** A name beside `path` that no other attempt uses, here or elsewhere. */
export function ownDraftName(path: string): string {
  return `${path}.${processSpace()}.${process.pid}.${randomBytes(4).toString("hex")}`;
}

/**
 * What earlier attempts left of a draft: `path` itself, which nobody writes to, and what has the
 * name of a process of this machine that has ended. What another machine or container writes is left alone.
 */
export async function leftDrafts(path: string): Promise<readonly string[]> {
  const [folder, name] = [dirname(path), basename(path)];
  const names = await readdir(folder).catch((): readonly string[] => []);
  return names
    .filter((found) => found.startsWith(name) && isLeft(found.slice(name.length)))
    .map((found) => join(folder, found));
}

function isLeft(suffix: string): boolean {
  if (suffix === "" || suffix === ".blocks") return true;
  const [, space, pid] = writerSuffix.exec(suffix) ?? [];
  return space === processSpace() && hasEnded(Number(pid));
}

/** Names this machine and, where the system tells, its space of process numbers: a container's. */
function processSpace(): string {
  let numbers = "";
  try {
    numbers = readlinkSync("/proc/self/ns/pid");
  } catch {
    // Elsewhere than on Linux a machine has one space.
  }
  return createHash("sha256").update(`${hostname()} ${numbers}`).digest("hex").slice(0, 8);
}

function hasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (thrown) {
    return thrown instanceof Error && "code" in thrown && thrown.code === "ESRCH";
  }
}
