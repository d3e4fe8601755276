import { open } from "node:fs/promises";

/** Has the bytes of a file, or the names in a folder, on the disk before it resolves. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
