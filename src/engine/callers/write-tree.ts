import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import type { CID } from "multiformats/cid";
import type { BlockSource } from "#content/block-file.ts";
import { unixfsEntry } from "#engine/callers/unixfs-entry.ts";
import type { Work } from "#engine/callers/work-steps.ts";
import { localFileError } from "#jobs/local-file-error.ts";
import { EngineError } from "#model/engine-error.ts";

/**
 * Writes what blocks say out as a file or a folder with everything in it. Nothing is ever written
 * outside of `path`: names that are no plain names are an error, links are told and left out.
 */
export async function writeTree(
  blocks: BlockSource,
  root: CID,
  path: string,
  work: Work,
): Promise<"file" | "directory"> {
  work.signal.throwIfAborted();
  const entry = await unixfsEntry(blocks, root);
  if (entry.type === "object") {
    throw new EngineError("NOT_SUPPORTED", `${root.toString()} is neither file nor directory`, {
      hint: "write its blocks with `thermocline export-car`",
    });
  }
  if (entry.type !== "directory") {
    if ("unixfs" in entry && entry.unixfs.type === "symlink") {
      work.problem(`${path} is a link and was left out`);
      return "file";
    }
    await writeFile(entry.content(), path);
    work.done += 1;
    return "file";
  }
  await mkdir(path).catch((thrown: unknown) => {
    throw localFileError(thrown, path);
  });
  for await (const { name, cid } of entry.entries()) {
    await writeTree(blocks, cid, join(path, plainName(name, root)), work);
  }
  return "directory";
}

async function writeFile(content: AsyncIterable<Uint8Array>, path: string): Promise<void> {
  try {
    // Two entries of one name would be one file.
    await pipeline(content, createWriteStream(path, { flags: "wx", flush: true }));
  } catch (thrown) {
    throw localFileError(thrown, path);
  }
}

/** A backslash is a letter like others, but where it parts folders. */
function plainName(name: string, folder: CID): string {
  const isPlain =
    name !== "" && name !== "." && name !== ".." && !/[/\0]/.test(name) && !name.includes(sep);
  if (isPlain) return name;
  throw new EngineError("CORRUPT", `${folder.toString()} has an entry of the name "${name}"`, {
    hint: "that is no name for a file; look at it with `thermocline export-car`",
  });
}
