import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { dataPaths } from "#config/data-paths.ts";

/** Where the listing of a backend lies until its inventory has ended. */
export function listingFolder(dataDirectory: string, backend: string): string {
  return join(dataPaths(dataDirectory).imports, `${listings}${encodeURIComponent(backend)}`);
}

/**
 * Forgets listings under way: an index that is put in the place of another does not know what was
 * removed since they began.
 */
export async function giveUpListings(dataDirectory: string): Promise<void> {
  const { imports } = dataPaths(dataDirectory);
  const names = await readdir(imports).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  });
  for (const name of names.filter((one) => one.startsWith(listings))) {
    await rm(join(imports, name), { recursive: true, force: true });
  }
}

const listings = "inventory-";
