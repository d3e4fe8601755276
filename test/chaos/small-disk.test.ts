import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  mountSmallDisk,
  unmountLeftDisks,
  unmountSmallDisk,
  workspacePrefix,
} from "../../scripts/chaos/small-disk.ts";
import { smallDiskMissing } from "../drivers/small-disk.ts";

const missing = smallDiskMissing();
const module = new URL("../../scripts/chaos/small-disk.ts", import.meta.url).href;

test.skipIf(missing !== undefined)(
  `the small disk of a run that was killed is taken away by the next one (${missing ?? "tmpfs"})`,
  async () => {
    const path = await mkdtemp(join(tmpdir(), workspacePrefix));
    const disk = join(path, "storage", "small");
    await mkdir(disk, { recursive: true });
    const isMounted = async () => (await readFile("/proc/mounts", "utf8")).includes(` ${disk} `);
    try {
      expect(mountSmallDisk(disk, 1_048_576)).toBe(true);
      const work = `const { ownWorkspace } = await import(${JSON.stringify(module)});
        await ownWorkspace(${JSON.stringify(path)}); console.log("ready"); setInterval(() => 0, 1000);`;
      const owner = spawn(process.execPath, ["--input-type=module", "-e", work, "chaos"], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      await once(owner.stdout, "data");
      expect(await unmountLeftDisks()).not.toContain(disk);
      expect(await isMounted()).toBe(true);
      owner.kill("SIGKILL");
      await once(owner, "exit");
      expect(await unmountLeftDisks()).toContain(disk);
      expect(await isMounted()).toBe(false);
    } finally {
      unmountSmallDisk(disk);
      await rm(path, { recursive: true, force: true });
    }
  },
);
