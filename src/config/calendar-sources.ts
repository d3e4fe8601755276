import { stat } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { filesBelow } from "#config/find-files.ts";
import type { DocumentSource } from "#document/document-source.ts";
import { readSource } from "#document/read-source.ts";

/** Calendars have a suffix of their own, as policies have. */
const calendarSuffix = ".thermocline-calendar.yaml";

/**
 * The texts of all calendar files in the order of their paths: those in the folders of the
 * policies and below, and those in the folder `calendars` beside the configuration.
 */
export async function readCalendarSources(config: {
  readonly directory: string;
  readonly policies: readonly string[];
  /** What the names of files are relative to; the directory, unless said. */
  readonly cwd?: string;
}): Promise<readonly DocumentSource[]> {
  const folders = new Set([join(config.directory, "calendars")]);
  const beside = new Set<string>();
  for (const place of config.policies) {
    const path = resolve(config.directory, place);
    const facts = await stat(path).catch(() => undefined);
    if (facts?.isDirectory() === true) folders.add(path);
    else if (facts !== undefined) beside.add(dirname(path));
  }
  const files = new Set<string>();
  const addBelow = async (folder: string, locked: "refused" | "passed-over") => {
    for (const file of await filesBelow(folder, calendarSuffix, "with-packages", locked)) {
      files.add(file);
    }
  };
  for (const folder of folders) await addBelow(folder, "refused");
  // Nobody has named these folders: what is in them and not for us has nothing to say.
  for (const folder of beside) await addBelow(folder, "passed-over");
  const sources: DocumentSource[] = [];
  for (const file of [...files].toSorted()) {
    const shown = relative(config.cwd ?? config.directory, file);
    sources.push(await readSource(file, shown.startsWith("..") ? file : shown));
  }
  return sources;
}
