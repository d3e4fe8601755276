import { glob, stat } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { EngineError } from "#model/engine-error.ts";
import type { DocumentSource } from "#document/document-source.ts";
import { readSource } from "#document/read-source.ts";

/** Policies have a suffix of their own, so that editors and people tell them apart. */
const policySuffix = ".thermocline.yaml";

/** More files than this are a mistake in a glob rather than a policy set. */
const filesMax = 10_000;

/**
 * The texts of all policy files that the given files, directories and globs name, in the order
 * of their paths. What was named must exist; a directory without policies gives none.
 */
export async function readPolicySources(
  places: readonly string[],
  cwd: string,
): Promise<readonly DocumentSource[]> {
  const files = new Set<string>();
  for (const place of places) {
    for (const file of await filesOf(resolve(cwd, place), place)) files.add(file);
    if (files.size > filesMax) {
      throw new EngineError("USAGE", `"${place}" names more than ${filesMax} policy files`, {
        hint: "name the directory that holds the policies",
      });
    }
  }
  const sources: DocumentSource[] = [];
  for (const file of [...files].toSorted()) {
    const shown = relative(cwd, file);
    sources.push(await readSource(file, shown.startsWith("..") ? file : shown));
  }
  return sources;
}

async function filesOf(path: string, named: string): Promise<readonly string[]> {
  const facts = await stat(path).catch(() => undefined);
  if (facts?.isFile() === true) return [path];
  if (facts?.isDirectory() === true) {
    return Array.fromAsync(glob(`**/*${policySuffix}`, { cwd: path }), (file) => join(path, file));
  }
  if (!/[*?[{]/.test(path)) {
    throw new EngineError("NOT_FOUND", `${named}: there is no such file or directory`, {
      hint: "create it, or correct `policies:` in the configuration",
    });
  }
  const found = await Array.fromAsync(glob(path));
  if (found.length > 0) return found;
  throw new EngineError("NOT_FOUND", `${named}: no file fits this pattern`, {
    hint: "policy files end in .thermocline.yaml",
  });
}
