import { rename, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { BlockFile } from "#content/block-file.ts";
import { parseCid, rawCode } from "#content/cid.ts";
import { DraftFile } from "#engine/callers/draft-file.ts";
import { draftName, leftDrafts } from "#engine/callers/draft-names.ts";
import { fetchBlocks } from "#engine/callers/fetch-blocks.ts";
import { fetchFile } from "#engine/callers/fetch-file.ts";
import { type ContentReader, Fetching } from "#engine/callers/fetching.ts";
import type { Work } from "#engine/callers/work-steps.ts";
import { writeTree } from "#engine/callers/write-tree.ts";
import { makeFolderOf } from "#jobs/make-folder-of.ts";
import { EngineError } from "#model/engine-error.ts";
import { directoryType, type ObjectSources } from "#model/object-content.ts";

export interface GetRequest {
  readonly reference: string;
  /** A new file or folder, or a folder that is there, to put it into. */
  readonly output: string;
  readonly from: string | undefined;
  /** Replace a file that is there. */
  readonly force: boolean;
}

export interface GotObject {
  readonly cid: string;
  readonly size: number;
  readonly kind: "file" | "directory";
  readonly path: string;
}

/**
 * Writes an object to this machine, verified, whole or not at all under its name. What a file has
 * got when it is interrupted stays beside it, for the next attempt.
 */
export async function getObject(
  api: ContentReader,
  { reference, output, from, force }: GetRequest,
  work: Work,
): Promise<GotObject> {
  const fetching = await Fetching.begin(api, reference, from, work);
  const { object } = fetching;
  const { cid, size, type } = object;
  const path = await freePlace(output, object, force);
  await makeFolderOf(path);
  work.bytesTotal = size;
  const draftPath = `${path}.${cid.slice(-16)}.part`;
  if (type !== directoryType) {
    await using draft = await DraftFile.open(draftPath, object);
    if ((await fetchFile(fetching, draft)) !== undefined) {
      await draft.publish(path);
      work.done = 1;
      return { cid, size, kind: "file", path };
    }
    await draft.discard();
  }
  if (parseCid(cid).code === rawCode) throw fetching.nothingLeft();
  work.bytes = 0;
  work.bytesTotal = undefined;
  return { cid, size, kind: await getTree(fetching, path, draftPath), path };
}

/** By way of its blocks, which are kept in a file meanwhile. */
async function getTree(
  fetching: Fetching,
  path: string,
  draftPath: string,
): Promise<"file" | "directory"> {
  const { work, object } = fetching;
  // They are of attempts that were killed; what another one is writing has a name of its own.
  for (const left of await leftDrafts(draftPath)) {
    if (left.isFree || left.isAbandoned) await removeAll(left.path);
  }
  const treePath = draftName(draftPath);
  const blocksPath = `${treePath}.blocks`;
  try {
    await using blocks = await BlockFile.create(blocksPath);
    await fetchBlocks(fetching, blocks, blocksPath);
    const kind = await writeTree(blocks, parseCid(object.cid), treePath, work);
    await rename(treePath, path);
    return kind;
  } finally {
    for (const leftover of [blocksPath, treePath]) await removeAll(leftover);
  }
}

async function removeAll(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}

async function freePlace(output: string, object: ObjectSources, force: boolean): Promise<string> {
  const found = await kindOf(output);
  const isFolder = found === "directory" || output.endsWith("/");
  const path = isFolder ? join(output, basename(object.names[0] ?? object.cid)) : output;
  const there = path === output ? found : await kindOf(path);
  if (there === undefined || (force && there === "file")) return path;
  throw new EngineError("ALREADY_EXISTS", `${path} is there already`, {
    hint:
      there === "file" ? "replace it with --force, or name another place" : "name another place",
  });
}

async function kindOf(path: string): Promise<"file" | "directory" | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  return found.isDirectory() ? "directory" : "file";
}
