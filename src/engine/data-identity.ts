import { randomUUID } from "node:crypto";
import { link, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dataPaths } from "#config/data-paths.ts";

/**
 * A name of the data directory that every process on it reads alike, whatever machine it runs
 * on. It is made once; two that make it at once end up with the same one. The number of the file
 * belongs to it: a copy of the directory, as from a backup, is another one.
 */
export async function dataIdentity(dataDirectory: string): Promise<string> {
  await mkdir(dataDirectory, { recursive: true });
  const file = dataPaths(dataDirectory).identity;
  const known = await readFile(file, "utf8").catch(() => "");
  if (known !== "") return await named(known, file);
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, `${randomUUID()}\n`, { flag: "wx" });
  // A link appears whole, and only if nobody else's is there.
  await link(draft, file).catch(() => undefined);
  await rm(draft, { force: true });
  return await named(await readFile(file, "utf8"), file);
}

async function named(text: string, file: string): Promise<string> {
  const { ino } = await stat(file);
  return `${text.trim()}-${ino}`;
}
