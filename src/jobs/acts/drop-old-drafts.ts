import { readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** Whoever writes a draft touches it more often than this. */
const untouchedMs = 24 * 60 * 60_000;

/** A folder may hold a million CARs: it is not read for each of them. */
const listedEveryMs = 60 * 60_000;

const listings = new Map<string, { readonly at: number; readonly drafts: readonly string[] }>();

/**
 * Removes drafts of a file that attempts left which were killed: `FILE.….part`, and its blocks.
 * That none can be seen or removed is no reason not to write the file.
 */
export async function dropOldDrafts(output: string): Promise<void> {
  const folder = dirname(output);
  const own = `${basename(output)}.`;
  for (const name of await draftsIn(folder)) {
    if (!name.startsWith(own)) continue;
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    if (found === undefined || Date.now() - found.mtimeMs < untouchedMs) continue;
    await rm(path, { force: true }).catch(() => undefined);
  }
}

async function draftsIn(folder: string): Promise<readonly string[]> {
  const known = listings.get(folder);
  if (known !== undefined && performance.now() - known.at < listedEveryMs) return known.drafts;
  const names = await readdir(folder).catch(() => undefined);
  if (names === undefined) return [];
  const drafts = names.filter((name) => /\.car\..+\.part(?:\.blocks)?$/u.test(name));
  listings.set(folder, { at: performance.now(), drafts });
  return drafts;
}
