import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A disk of a test's own, in memory, that is really full when it is full. */
export interface SmallDisk extends AsyncDisposable {
  readonly path: string;
}

/** Why no disk can be mounted here, or undefined. */
export function smallDiskMissing(): string | undefined {
  const mounts = succeeds("unshare", ["--mount", "mount", "-t", "tmpfs", "tmpfs", tmpdir()]);
  return process.getuid?.() === 0 && mounts ? undefined : "cannot mount a tmpfs here";
}

/** Mounts one of that size, e.g. "2m"; disposing of it unmounts it. */
export async function mountSmallDisk(size: string): Promise<SmallDisk> {
  const path = await mkdtemp(join(tmpdir(), "thermocline-disk-"));
  if (!succeeds("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", path])) {
    throw new Error(`no disk of ${size} could be mounted`);
  }
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      if (!succeeds("umount", [path])) throw new Error(`${path} could not be unmounted`);
      await rm(path, { recursive: true });
    },
  };
}

function succeeds(program: string, args: readonly string[]): boolean {
  return spawnSync(program, args).status === 0;
}
