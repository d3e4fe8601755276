import { readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Config } from "#config.ts";
import { dataPaths } from "#config/data-paths.ts";

/** Whoever still writes a file has written to it since then, whatever it waits for. */
export const abandonedAfterMs = 3_600_000;

/** Removes the files of a folder, of those that a name tells, to which nobody has written for a while. */
export async function clearAbandoned(
  folder: string,
  isDraft: (name: string) => boolean,
  olderThanMs: number = abandonedAfterMs,
): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter(isDraft)) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    // By the clock of the disk, which may be another machine's: what seems to be of later is new.
    const isOld = found !== undefined && Date.now() - found.mtimeMs >= olderThanMs;
    // Another time does as well where that is not allowed now.
    if (isOld) await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

/**
 * Removes what processes left in the data directory that were killed while they made an index, fetched
 * one or wrote a plan. For the process that has the index open: nothing takes its place any more,
 * so that a restore under way is of no use.
 */
export async function clearDataDirectory(config: Config): Promise<void> {
  const { index, plans, identity } = dataPaths(config.dataDirectory);
  const folder = dirname(index);
  const ofIndex = (endings: RegExp) => (name: string) =>
    name.startsWith(`${basename(index)}.`) && endings.test(name.slice(basename(index).length));
  await clearAbandoned(folder, ofIndex(new RegExp(`^\\.${uuid}\\.restoring(\\..*)?$`)), 0);
  await clearAbandoned(folder, ofIndex(new RegExp(`^\\.(${uuid}\\.new|fetched)(\\..*)?$`)));
  await clearAbandoned(folder, (name) =>
    new RegExp(`^${basename(identity)}\\.${uuid}$`).test(name),
  );
  const draft = new RegExp(`^draft-\\d+-${uuid}\\.|\\.(part|tmp)$`);
  await clearAbandoned(plans, (name) => draft.test(name));
}

const uuid = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}";
