import { realpath, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { namedPart } from "#config/find-files.ts";
import { locateInclude } from "#config/locate-include.ts";
import type { DocumentSource, Inclusion } from "#document/document-source.ts";
import { includeEntries } from "#document/include-entries.ts";
import { readSource } from "#document/read-source.ts";
import { EngineError } from "#model/engine-error.ts";

/** What is known while the files of one call are read. */
export interface Following {
  /** Folders below which included files may be, with links followed. */
  readonly roots: readonly string[];
  /** More files than this are not read. */
  readonly filesMax: number;
  /** The name that diagnostics give a path. */
  nameOf(path: string): string;
}

/**
 * The texts of some files and of all that they include, each file once, in the order of their
 * paths. What is wrong with an `include:` entry is noted with the text that has it, so that it is
 * reported at its place together with everything else.
 */
export async function followIncludes(
  files: readonly string[],
  following: Following,
): Promise<readonly DocumentSource[]> {
  const texts = new Map<string, DocumentSource>();
  const paths = new Map<string, string>();
  for (const path of files) {
    texts.set(path, await readSource(path, following.nameOf(path)));
    paths.set(await realpath(path), path);
  }
  const sources = new Map<string, DocumentSource>();
  // A map is walked in the order of insertion, also over what is added on the way.
  for (const [path, source] of texts) {
    const includes: [string, Inclusion][] = [];
    for (const entry of includeEntries(source.text)) {
      includes.push([entry, await follow(entry, path, { texts, paths, following })]);
    }
    const found = includes.length === 0 ? {} : { includes: Object.fromEntries(includes) };
    sources.set(path, { ...source, ...found });
  }
  return [...sources].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, source]) => source);
}

interface Found {
  readonly texts: Map<string, DocumentSource>;
  /** By path with links followed: a file is the same under all its names. */
  readonly paths: Map<string, string>;
  readonly following: Following;
}

async function follow(
  entry: string,
  from: string,
  { texts, paths, following }: Found,
): Promise<Inclusion> {
  try {
    const located = await locateInclude(entry, from, following.roots);
    if ("problem" in located) return located;
    const { path } = located;
    const known = paths.get(path);
    if (known !== undefined) return { file: following.nameOf(known) };
    if (texts.size >= following.filesMax) {
      return { problem: { message: `more than ${following.filesMax} files are included` } };
    }
    const file = following.nameOf(path);
    texts.set(path, await readSource(path, file));
    paths.set(path, path);
    return { file };
  } catch (error) {
    const { message, hint } = EngineError.from(error);
    return { problem: { message, hint } };
  }
}

/**
 * The folders that files may be included from: the directory that paths are relative to, the
 * folders that were named, and the project around each, down from its `thermocline.yaml`.
 */
export async function includeRoots(
  places: readonly string[],
  cwd: string,
): Promise<readonly string[]> {
  const roots = new Set([await realpath(cwd)]);
  for (const place of places) {
    const folder = await folderOf(resolve(cwd, place));
    roots.add(folder);
    const project = await projectAround(folder);
    if (project !== undefined) roots.add(project);
  }
  // A folder below another adds nothing to it.
  const all = [...roots];
  return all.filter((root) => !all.some((other) => root.startsWith(join(other, "/"))));
}

async function folderOf(path: string): Promise<string> {
  const named = namedPart(path);
  const facts = await stat(named).catch(() => undefined);
  return await realpath(facts?.isFile() === true ? dirname(named) : named);
}

async function projectAround(folder: string): Promise<string | undefined> {
  for (let at = folder; ; at = dirname(at)) {
    const config = await stat(join(at, "thermocline.yaml")).catch(() => undefined);
    if (config?.isFile() === true) return at;
    if (dirname(at) === at) return undefined;
  }
}
