import { basename, join } from "node:path";
import { carHeader, carSectionHead } from "#content/car-writer.ts";
import { blockIdentity } from "#content/car-checker.ts";
import { directoryDag, type DirectoryDag, type TreeEntry } from "#content/directory-dag.ts";
import { fileBlocks } from "#content/file-blocks.ts";
import { hashLocalFile, type PrepareOptions, realPathOf } from "#engine/callers/prepare-file.ts";
import type { PreparedContent } from "#engine/callers/prepared-content.ts";
import { LocalFile } from "#jobs/local-file.ts";
import { walkTree } from "#jobs/walk-tree.ts";
import type { ObjectRef } from "#model/copy.ts";
import type { ByteStream } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { directoryType } from "#model/object-content.ts";

/**
 * Computes the CID of a directory with everything in it. Its files are read again when they are
 * handed in, and must be what they were.
 */
export async function prepareDirectory(
  path: string,
  options: PrepareOptions,
): Promise<PreparedContent> {
  const folder = await realPathOf(path);
  const files: FileInTree[] = [];
  const entries: TreeEntry[] = [];
  const leftOut: string[] = [];
  for await (const entry of walkTree(folder)) {
    if (entry.kind === "unreadable") throw entry.error;
    if (entry.kind === "empty") entries.push({ path: entry.path, isEmptyFolder: true });
    else if (entry.kind === "file") {
      const file = await lookAt(join(folder, entry.path), entry.path, options);
      files.push(file);
      entries.push(file);
    } else leftOut.push(entry.path);
  }
  return preparedTree({ files, entries, name: basename(folder), leftOut }, options);
}

/** Puts one file into a directory that has nothing else in it. */
export async function wrapFile(
  file: { readonly path: string; readonly name: string },
  options: PrepareOptions,
): Promise<PreparedContent> {
  const found = await lookAt(await realPathOf(file.path), file.name, options);
  const tree = { files: [found], entries: [found], name: file.name, leftOut: [] };
  return preparedTree(tree, options);
}

interface FileInTree {
  /** In the directory. */
  readonly path: string;
  readonly place: string;
  readonly cid: string;
  readonly size: number;
  readonly dagBytes: number;
}

interface Tree {
  readonly files: readonly FileInTree[];
  readonly entries: readonly TreeEntry[];
  readonly name: string;
  readonly leftOut: readonly string[];
}

async function lookAt(place: string, path: string, options: PrepareOptions): Promise<FileInTree> {
  using file = LocalFile.open(place);
  const found = await hashLocalFile(file, options);
  return { path, place, ...found };
}

async function preparedTree(
  { files, entries, name, leftOut }: Tree,
  { profile }: PrepareOptions,
): Promise<PreparedContent> {
  const dag = await directoryDag(entries, profile);
  const size = files.reduce((sum, file) => sum + file.size, 0);
  return {
    object: { cid: dag.root.toString(), size, profile },
    form: "car",
    name,
    type: directoryType,
    modified: undefined,
    leftOut,
    open: () => carOf(dag, files, profile),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** The files in the order of the walk, each once, then the directories. */
async function* carOf(
  { root, blocks }: DirectoryDag,
  files: readonly FileInTree[],
  profile: string,
): ByteStream {
  yield carHeader(root);
  const written = new Set<string>();
  for (const { place, cid, size } of files) {
    if (written.has(cid)) continue;
    written.add(cid);
    yield* blocksOf(place, { cid, size, profile });
  }
  for (const { cid, bytes } of blocks) {
    const identity = blockIdentity(cid);
    if (written.has(identity)) continue;
    written.add(identity);
    yield carSectionHead(cid, [bytes]);
    yield bytes;
  }
}

async function* blocksOf(place: string, object: ObjectRef): ByteStream {
  using file = LocalFile.open(place);
  try {
    yield* fileBlocks(file.stream(), object);
  } catch (thrown) {
    const error = EngineError.from(thrown);
    if (error.code !== "CORRUPT") throw error;
    throw new EngineError("CONFLICT", `${place} changed after it was read for the first time`, {
      retryable: false,
      hint: "add the directory again when nothing writes to it",
      cause: error,
    });
  }
}
