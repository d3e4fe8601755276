import { randomUUID } from "node:crypto";
import { access, link, open, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { DuckDBInstance } from "#index/duckdb.ts";

/**
 * Makes an empty DuckDB file at `path` where there is none. It appears whole or not at all: DuckDB
 * itself begins with an empty file, which two processes that start at once, or a death in that
 * moment, turn into one that nobody can open any more.
 */
export async function createDatabase(
  path: string,
  configuration: Readonly<Record<string, string>>,
): Promise<void> {
  if (await exists(path)) return;
  const draft = `${path}.${randomUUID()}.new`;
  try {
    const instance = await DuckDBInstance.create(draft, { ...configuration });
    instance.closeSync();
    await sync(draft);
    await link(draft, path);
    await sync(dirname(path));
  } catch (error) {
    // Another process was faster, or the file system has no links: then DuckDB creates the file.
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined || !["EEXIST", "EPERM", "ENOTSUP", "ENOSYS"].includes(code)) throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
