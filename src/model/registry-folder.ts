import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, extname } from "node:path";
import { EngineError } from "#model/engine-error.ts";

/**
 * Loads a registry that is a folder: every file `<name>.ts` (or folder with `<name>/<name>.ts`)
 * is one entry, its default export, whose `name` equals the file name (which has dashes where
 * the name has underscores: `heat_rank`). Adding an entry is adding a file; a folder without a
 * file of its own name holds code that entries share. Works on the sources and on the compiled
 * output alike. Sorted by name.
 *
 * @param folder URL of the folder, usually `new URL("./drivers/", import.meta.url)`
 */
export async function loadRegistryFolder<Entry extends { readonly name: string }>(
  folder: URL,
): Promise<ReadonlyMap<string, Entry>> {
  const extension = extname(import.meta.url);
  const entries = await readdir(folder, { withFileTypes: true });
  const registry = new Map<string, Entry>();
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const name = basename(entry.name, extension);
    if (entry.isFile() && extname(entry.name) !== extension) continue;
    const path = entry.isDirectory() ? `${entry.name}/${entry.name}${extension}` : entry.name;
    const file = new URL(path, folder);
    if (entry.isDirectory() && !existsSync(file)) continue;
    const loaded = await loadEntry<Entry>(file, name);
    registry.set(loaded.name, loaded);
  }
  return registry;
}

async function loadEntry<Entry extends { readonly name: string }>(
  file: URL,
  name: string,
): Promise<Entry> {
  const module = (await import(file.href)) as { readonly default?: Entry };
  if (module.default?.name.replaceAll("_", "-") !== name) {
    throw new EngineError(
      "INTERNAL",
      `${file.pathname}: the default export must be a registry entry named "${name}"`,
      { hint: "name the file after its entry, or move code that is no entry into a folder" },
    );
  }
  return module.default;
}
