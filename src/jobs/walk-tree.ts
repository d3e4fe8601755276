import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { localFileError } from "#jobs/local-file-error.ts";
import type { EngineError } from "#model/engine-error.ts";

/** What a walk comes across. Paths are relative to the root, with `/` between their parts. */
export type TreeEntry =
  | { readonly kind: "file"; readonly path: string }
  /** Not followed: it may lead outside of the tree, in circles, or to the same file again. */
  | { readonly kind: "link"; readonly path: string }
  /** A device, socket or pipe: nothing that could be stored. */
  | { readonly kind: "special"; readonly path: string }
  /** A folder with nothing in it. */
  | { readonly kind: "empty"; readonly path: string }
  | { readonly kind: "unreadable"; readonly path: string; readonly error: EngineError };

/** A folder with this file is the store of a local backend, not content. */
export const storeMarker = "thermocline-store.json";

/**
 * Walks a folder depth first, names in the order of their UTF-16 units: the same tree gives the
 * same sequence on every machine. Holds the names of the folders on the way down, nothing else.
 * Folders that cannot be read are entries of their own and do not end the walk; only the root
 * must be readable.
 */
export async function* walkTree(root: string): AsyncGenerator<TreeEntry> {
  let names: Dirent[];
  try {
    names = await sortedNames(root);
  } catch (thrown) {
    throw localFileError(thrown, root);
  }
  yield* walkFolder(root, "", names);
}

async function* walkFolder(
  root: string,
  folder: string,
  names: readonly Dirent[],
): AsyncGenerator<TreeEntry> {
  for (const entry of names) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) yield* walkSubfolder(root, path);
    else yield { kind: kindOf(entry), path };
  }
}

async function* walkSubfolder(root: string, path: string): AsyncGenerator<TreeEntry> {
  let names: Dirent[];
  const folder = join(root, path);
  try {
    names = await sortedNames(folder);
  } catch (thrown) {
    yield { kind: "unreadable", path, error: localFileError(thrown, folder) };
    return;
  }
  if (names.some((entry) => entry.name === storeMarker)) yield { kind: "special", path };
  else if (names.length === 0) yield { kind: "empty", path };
  else yield* walkFolder(root, path, names);
}

async function sortedNames(folder: string): Promise<Dirent[]> {
  const names = await readdir(folder, { withFileTypes: true });
  return names.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function kindOf(entry: Dirent): "file" | "link" | "special" {
  if (entry.isFile()) return "file";
  return entry.isSymbolicLink() ? "link" : "special";
}
