import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** Where a store notes which of its snapshots were only fetched to be asked. */
export function passingFolder(directory: string): string {
  return join(directory, "passing");
}

/** CIDs of those, the one asked for last first. */
export async function passingMarks(directory: string): Promise<readonly string[]> {
  const folder = passingFolder(directory);
  const names = await readdir(folder).catch(() => []);
  const marks = await Promise.all(
    names.map(async (cid) => {
      const found = await stat(join(folder, cid)).catch(() => undefined);
      return { cid, askedMs: found?.mtimeMs ?? 0 };
    }),
  );
  return marks.toSorted((a, b) => b.askedMs - a.askedMs).map(({ cid }) => cid);
}
