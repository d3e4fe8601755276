import { rm } from "node:fs/promises";
import type { CID } from "multiformats/cid";
import type { BlockFile } from "#content/block-file.ts";
import { blockIdentity } from "#content/car-checker.ts";
import { parseCid } from "#content/cid.ts";
import { type CarFile, writeCarFile } from "#content/write-car-file.ts";
import { draftName, leftDrafts } from "#engine/callers/draft-names.ts";
import { fetchBlocks } from "#engine/callers/fetch-blocks.ts";
import { type ContentReader, Fetching } from "#engine/callers/fetching.ts";
import { unixfsEntry } from "#engine/callers/unixfs-entry.ts";
import type { Work } from "#engine/callers/work-steps.ts";
import { localFileError } from "#jobs/local-file-error.ts";
import { makeFolderOf } from "#jobs/make-folder-of.ts";
import { EngineError } from "#model/engine-error.ts";

export interface ExportRequest {
  /** CIDs, paths or numbers of the objects, in the order of the roots. */
  readonly references: AsyncIterable<string>;
  /** A new file. */
  readonly output: string;
  readonly from: string | undefined;
  /** Export what lies there in the objects, in their place. */
  readonly path: string | undefined;
  /** Only so many steps down from the roots; the CAR is not whole then. */
  readonly depth: number | undefined;
}

export interface ExportedCar extends CarFile {
  readonly roots: readonly string[];
  readonly file: string;
}

/** More could not be read by everybody: their CIDs all stand in the header. */
export const rootsMax = 50_000;

/** Fetches objects and writes them as one CARv1, whole or not at all. */
export async function exportObjectsCar(
  api: ContentReader,
  { references, output, from, path, depth }: ExportRequest,
  work: Work,
): Promise<ExportedCar> {
  await makeFolderOf(output);
  const roots = new Map<string, CID>();
  const gatherAll = async (blocks: BlockFile): Promise<readonly CID[]> => {
    for await (const reference of references) {
      const root = await gather(api, { reference, from, path, output }, blocks, work);
      roots.set(blockIdentity(root), root);
      if (roots.size > rootsMax) throw tooMany();
    }
    if (roots.size > 0) return [...roots.values()];
    throw new EngineError("NOT_FOUND", "there is no object to export", {
      hint: "see what `thermocline objects ls --where …` lists",
    });
  };
  const order = depth === undefined ? {} : { depth };
  const draftPath = `${output}.part`;
  for (const { path, isFile, isFree, isAbandoned } of await leftDrafts(draftPath)) {
    // What is called as a download of another program is, too, is left alone.
    const isOurs = isFile && path !== draftPath && (isFree || isAbandoned);
    if (isOurs) await rm(path, { force: true }).catch(() => undefined);
  }
  const options = { ...order, draft: draftName(draftPath), signal: work.signal };
  const car = await writeCarFile(output, gatherAll, options).catch((thrown: unknown) => {
    work.signal.throwIfAborted();
    throw localFileError(thrown, output);
  });
  return { roots: [...roots.values()].map(String), ...car, file: output };
}

/** Fetches what belongs to one object, and says which block is the root of what is wanted. */
async function gather(
  api: ContentReader,
  what: { readonly reference: string } & Pick<ExportRequest, "from" | "path" | "output">,
  blocks: BlockFile,
  work: Work,
): Promise<CID> {
  const fetching = await Fetching.begin(api, what.reference, what.from, work);
  await fetchBlocks(fetching, blocks, what.output);
  work.done += 1;
  const root = parseCid(fetching.object.cid);
  return what.path === undefined ? root : (await unixfsEntry(blocks, root, what.path)).cid;
}

function tooMany(): EngineError {
  return new EngineError("REFUSED", `these are more than ${rootsMax} objects`, {
    hint: "export them in several CARs, such as by collection",
  });
}
