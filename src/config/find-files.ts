import { constants } from "node:fs";
import { access, glob, readdir, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, matchesGlob } from "node:path";
import { EngineError } from "#model/engine-error.ts";

/**
 * The files below a folder whose names end so (`*` stands for anything), but for those in hidden
 * folders, nor, unless asked for, in installed packages. UNREADABLE where a folder cannot be read, unless those are passed
 * over: what is in it is not nothing. A folder that is not there has none.
 */
export async function filesBelow(
  folder: string,
  suffix: string,
  packages: "with-packages" | "without-packages" = "without-packages",
  locked: LockedFolders = "refused",
): Promise<readonly string[]> {
  const isThere = await access(folder).then(
    () => true,
    (error: unknown) => codeOf(error) !== "ENOENT",
  );
  return isThere ? await filesWithin(folder, suffix, packages, locked) : [];
}

/** What becomes of folders that cannot be read. */
type LockedFolders = "refused" | "passed-over";

async function filesWithin(
  folder: string,
  suffix: string,
  packages: "with-packages" | "without-packages",
  locked: LockedFolders,
): Promise<readonly string[]> {
  const files: string[] = [];
  for (const entry of await entriesOf(folder, locked)) {
    if (entry.name.startsWith(".")) continue;
    if (entry.name === "node_modules" && packages === "without-packages") continue;
    const path = join(folder, entry.name);
    if (matchesGlob(entry.name, `*${suffix}`)) files.push(path);
    if (entry.isDirectory()) {
      files.push(...(await filesWithin(path, suffix, packages, locked)));
    }
  }
  return files;
}

/** One that has just been there and is not any more may be there under another name. */
async function entriesOf(folder: string, locked: LockedFolders) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (locked === "passed-over") return [];
    throw unreadable(folder, error);
  }
}

/** The paths that fit a pattern. UNREADABLE where a folder that it leads to cannot be read. */
export async function filesLike(pattern: string): Promise<readonly string[]> {
  const passed = new Set<string>();
  const exclude = (path: string): boolean => {
    if (isAbsolute(path)) passed.add(path);
    return false;
  };
  const found = await Array.fromAsync(glob(pattern, { exclude }));
  const named = namedPart(pattern);
  for (const path of passed) {
    if (path === named || path.startsWith(join(named, "/"))) await requireReadable(path);
  }
  return found;
}

/** Of a pattern, the folder before the first of it that is one. */
export function namedPart(pattern: string): string {
  const first = /[*?[{]/.exec(pattern);
  return first === null ? pattern : dirname(`${pattern.slice(0, first.index)}-`);
}

/** Looking for what fits a pattern passes over folders that cannot be read, and says nothing. */
async function requireReadable(path: string): Promise<void> {
  const facts = await stat(path).catch(() => undefined);
  if (facts?.isDirectory() !== true) return;
  try {
    await access(path, constants.R_OK | constants.X_OK);
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(folder: string, cause: unknown): EngineError {
  const code = codeOf(cause);
  return new EngineError("UNREADABLE", `the folder ${folder} cannot be read (${code})`, {
    cause,
    hint: "what is in it counts: let this user read it, or name what to read more closely",
  });
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
