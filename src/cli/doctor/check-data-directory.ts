import { mkdir, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "#model/engine-error.ts";
import { formatSize } from "#model/quantity.ts";

/** Below this the index and the queue may stop in the middle of their work. */
const freeBytesMin = 256 * 1024 * 1024;

/** Whether the data directory can be written, and how much room there is. */
export async function checkDataDirectory(directory: string): Promise<string> {
  const probe = join(directory, `.doctor-${process.pid}`);
  try {
    await mkdir(directory, { recursive: true });
    await writeFile(probe, "probe");
  } catch (cause) {
    throw new EngineError("FORBIDDEN", `${directory} cannot be written`, {
      cause,
      hint: "give this user the directory, or set `data:` to another one",
    });
  } finally {
    await rm(probe, { force: true }).catch(() => undefined);
  }
  const { bavail, bsize } = await statfs(directory);
  const free = bavail * bsize;
  if (free < freeBytesMin) {
    throw new EngineError("NO_SPACE", `${directory} has only ${formatSize(free)} free`, {
      hint: `make room: at least ${formatSize(freeBytesMin)}`,
    });
  }
  return `${directory}, ${formatSize(free)} free`;
}
