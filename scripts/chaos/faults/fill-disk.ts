import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Fault } from "./fault.ts";

const piece = Buffer.alloc(1024 * 1024);

/** A stranger's file takes all that is free on a small disk, for a while. */
export const fillDisk: Fault = {
  name: "fill-disk",
  weight: 2,
  target: (stage) => (stage.hasSmallDisk ? "small" : undefined),
  inject: async ({ stage, target, wait, note }) => {
    const file = join(stage.storage(target), "filler");
    await note({ backend: target });
    const handle = await open(file, "w");
    try {
      for (;;) await handle.write(piece);
    } catch {
      // Full: that was the aim.
    } finally {
      await handle.close();
    }
    await wait(3_000, 12_000);
    await rm(file, { force: true });
  },
};
