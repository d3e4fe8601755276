import { spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** How workspaces of chaos are named, below the temporary folder. */
export const workspacePrefix = "thermocline-chaos-";
/** Says which process works in a workspace. */
const ownerFile = "owner.pid";

/** Notes in a workspace that this process works there. */
export async function ownWorkspace(path: string): Promise<void> {
  await writeFile(join(path, ownerFile), `${process.pid}\n`);
}

/** Mounts a small file system in memory, if we may; says whether. */
export function mountSmallDisk(folder: string, bytes: number): boolean {
  const options = `size=${bytes},mode=755`;
  return spawnSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder]).status === 0;
}

/** Takes it away, also while somebody still has a file open there. */
export function unmountSmallDisk(folder: string): void {
  spawnSync("umount", ["--lazy", folder]);
}

/**
 * Takes away the small file systems of runs that were killed: they would hold memory until the
 * machine starts anew. Their workspaces stay, to be looked at. Says which they were.
 */
export async function unmountLeftDisks(): Promise<readonly string[]> {
  const mounts = await readFile("/proc/mounts", "utf8").catch(() => "");
  const start = join(tmpdir(), workspacePrefix);
  const folders = mounts
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, path = "", type]) => type === "tmpfs" && path.startsWith(start))
    .map(([, path = ""]) => path);
  const left: string[] = [];
  for (const folder of folders) {
    const workspace = join(tmpdir(), folder.slice(tmpdir().length + 1).split("/")[0] ?? "");
    if (await isAtWork(workspace)) continue;
    unmountSmallDisk(folder);
    left.push(folder);
  }
  return left;
}

/** Whether the process that a workspace names still runs; its number may be somebody else's now. */
async function isAtWork(workspace: string): Promise<boolean> {
  const owner = await readFile(join(workspace, ownerFile), "utf8").catch(() => undefined);
  // It is mounted before anything else is written: whose it is is not known for a moment.
  if (owner === undefined) return true;
  const command = await readFile(`/proc/${owner.trim()}/cmdline`, "utf8").catch(() => "");
  return command.includes("chaos");
}
