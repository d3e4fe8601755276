import { realpath, stat } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { filesBelow, filesLike } from "#config/find-files.ts";
import { followIncludes, includeRoots } from "#config/follow-includes.ts";
import { EngineError } from "#model/engine-error.ts";
import type { DocumentSource } from "#document/document-source.ts";
import { readSource } from "#document/read-source.ts";

/** Kinds of documents have suffixes of their own, so that editors and people tell them apart. */
interface FileKind {
  readonly what: string;
  readonly suffix: string;
  readonly remedy: string;
}

const policyFiles: FileKind = {
  what: "policy",
  suffix: ".thermocline.yaml",
  remedy: "create it, or correct `policies:` in the configuration",
};

const testFiles: FileKind = {
  what: "test",
  suffix: ".thermocline-test.yaml",
  remedy: "check the path; tests are files that end in .thermocline-test.yaml",
};

const anyFiles: FileKind = {
  what: "Thermocline",
  suffix: ".thermocline*.yaml",
  remedy: "check the path",
};

/** More files than this are a mistake in a glob rather than a policy set. */
const filesMax = 10_000;

/**
 * The texts of all policy files that the given files, directories and globs name, and of what
 * they include, in the order of their paths. What was named must exist; a directory without
 * policies gives none. UNREADABLE where something of it cannot be read.
 */
export async function readPolicySources(
  places: readonly string[],
  cwd: string,
): Promise<readonly DocumentSource[]> {
  const files = await filesAt(places, cwd, policyFiles);
  const roots = await includeRoots(places, cwd);
  const linked = await realpath(cwd);
  return await followIncludes(files, {
    roots,
    filesMax,
    // Links are followed on the way to an included file, also those in the current directory.
    nameOf: (path) => nameOf(path, path.startsWith(join(linked, "/")) ? linked : cwd),
  });
}

/** The same for tests of policies. */
export function readPolicyTestSources(
  places: readonly string[],
  cwd: string,
): Promise<readonly DocumentSource[]> {
  return readDocumentSources(places, cwd, testFiles);
}

/** The same for documents of every kind, to be brought into order. */
export function readAnyDocuments(
  places: readonly string[],
  cwd: string,
): Promise<readonly DocumentSource[]> {
  return readDocumentSources(places, cwd, anyFiles);
}

async function readDocumentSources(
  places: readonly string[],
  cwd: string,
  kind: FileKind,
): Promise<readonly DocumentSource[]> {
  const sources: DocumentSource[] = [];
  for (const file of await filesAt(places, cwd, kind)) {
    sources.push(await readSource(file, nameOf(file, cwd)));
  }
  return sources;
}

async function filesAt(
  places: readonly string[],
  cwd: string,
  kind: FileKind,
): Promise<readonly string[]> {
  const files = new Set<string>();
  for (const place of places) {
    for (const file of await filesOf(resolve(cwd, place), place, kind)) files.add(file);
    if (files.size > filesMax) {
      throw new EngineError("USAGE", `"${place}" names more than ${filesMax} ${kind.what} files`, {
        hint: "name the directory that holds them",
      });
    }
  }
  return [...files].toSorted();
}

function nameOf(file: string, cwd: string): string {
  const shown = relative(cwd, file);
  return shown.startsWith("..") ? file : shown;
}

async function filesOf(
  path: string,
  named: string,
  { what, suffix, remedy }: FileKind,
): Promise<readonly string[]> {
  const facts = await stat(path).catch(() => undefined);
  if (facts?.isFile() === true) return [path];
  // Packages that are installed below a folder bring policies and tests of their own.
  if (facts?.isDirectory() === true) return await filesBelow(path, suffix);
  if (!/[*?[{]/.test(path)) {
    throw new EngineError("NOT_FOUND", `${named}: there is no such file or directory`, {
      hint: remedy,
    });
  }
  const found = await filesLike(path);
  if (found.length > 0) return found;
  throw new EngineError("NOT_FOUND", `${named}: no file fits this pattern`, {
    hint: `${what} files end in ${suffix}`,
  });
}
