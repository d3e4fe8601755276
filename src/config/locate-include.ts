import { readdir, realpath, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import type { Inclusion } from "#document/document-source.ts";
import { nearestMatch } from "#model/nearest-match.ts";

type Problem = Extract<Inclusion, { readonly problem: unknown }>;

/**
 * The path that an `include:` entry of a file means, with links followed. What it names must be
 * a file inside of one of the roots, themselves with links followed.
 */
export async function locateInclude(
  entry: string,
  from: string,
  roots: readonly string[],
): Promise<{ readonly path: string } | Problem> {
  const folder = await realpath(dirname(from));
  const named = resolve(folder, entry);
  // Before anything is looked at: nobody learns from messages what else there is on this machine.
  if (!isInside(named, roots)) return outside(entry, roots);
  const path = await realpath(named).catch(() => undefined);
  if (path === undefined) return await missing(entry, folder);
  if (!isInside(path, roots)) return outside(entry, roots);
  const facts = await stat(path);
  if (facts.isFile()) return { path };
  return problem(`"${entry}" is not a file`, "name each file to include; folders are not searched");
}

function isInside(path: string, roots: readonly string[]): boolean {
  return roots.some((root) => {
    const below = relative(root, path);
    return below !== ".." && !/^\.\.[/\\]/.test(below) && !isAbsolute(below);
  });
}

function outside(entry: string, roots: readonly string[]): Problem {
  return problem(
    `"${entry}" leads outside of the folders of the policies`,
    `move the file below ${roots.join(" or ")}`,
  );
}

async function missing(entry: string, folder: string): Promise<Problem> {
  const nearest = await nearestPath(entry, folder);
  return problem(
    `there is no file "${entry}"`,
    nearest === undefined
      ? "write the path from the folder of this file to the other one"
      : `did you mean "${nearest}"?`,
  );
}

/** The entry with its first strange segment replaced by what that folder has instead. */
async function nearestPath(entry: string, folder: string): Promise<string | undefined> {
  const segments = entry.split("/");
  for (const [at, segment] of segments.entries()) {
    const before = segments.slice(0, at);
    const names = await readdir(join(folder, ...before)).catch((): string[] => []);
    if ([".", "..", ""].includes(segment) || names.includes(segment)) continue;
    const nearest = nearestMatch(segment, names);
    return nearest === undefined
      ? undefined
      : [...before, nearest, ...segments.slice(at + 1)].join("/");
  }
  return undefined;
}

function problem(message: string, hint: string): Problem {
  return { problem: { message, hint } };
}
