import { createWriteStream } from "node:fs";
import { rename, rm, stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import type { CID } from "multiformats/cid";
import { BlockFile } from "#content/block-file.ts";
import { blockIdentity } from "#content/car-checker.ts";
import { parseCid } from "#content/cid.ts";
import { carOfDag } from "#content/walk-dag.ts";
import { fetchBlocks } from "#engine/callers/fetch-blocks.ts";
import { type ContentReader, Fetching } from "#engine/callers/fetching.ts";
import { unixfsEntry } from "#engine/callers/unixfs-entry.ts";
import type { Work } from "#engine/callers/work-steps.ts";
import { localFileError } from "#jobs/local-file-error.ts";
import type { ByteStream } from "#model/driver.ts";
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

export interface ExportedCar {
  readonly roots: readonly string[];
  /** Of the blocks, each of which is in the CAR once. */
  readonly bytes: number;
  readonly carBytes: number;
  readonly file: string;
}

/** More could not be read by everybody: their CIDs all stand in the header. */
export const rootsMax = 50_000;

/**
 * Writes objects as one CARv1, whole or not at all: all blocks are fetched and checked first, then
 * written in the order of `carOfDag`, so that the same objects give the same bytes, whichever
 * copies they came from.
 */
export async function exportObjectsCar(
  api: ContentReader,
  { references, output, from, path, depth }: ExportRequest,
  work: Work,
): Promise<ExportedCar> {
  const draft = `${output}.part`;
  const blocksPath = `${draft}.blocks`;
  // They are of an attempt that was killed.
  for (const leftover of [draft, blocksPath]) await rm(leftover, { force: true });
  try {
    await using blocks = await BlockFile.create(blocksPath).catch((thrown: unknown) => {
      throw localFileError(thrown, output);
    });
    const roots = new Map<string, CID>();
    for await (const reference of references) {
      const root = await gather(api, { reference, from, path }, blocks, work);
      roots.set(blockIdentity(root), root);
      if (roots.size > rootsMax) throw tooMany();
    }
    if (roots.size === 0) {
      throw new EngineError("NOT_FOUND", "there is no object to export", {
        hint: "see what `thermocline objects ls --where …` lists",
      });
    }
    const car = carOfDag(blocks, [...roots.values()], depth === undefined ? {} : { depth });
    await pipeline(stoppable(car, work), createWriteStream(draft, { flags: "wx", flush: true }));
    await rename(draft, output);
    return {
      roots: [...roots.values()].map(String),
      bytes: blocks.bytes,
      carBytes: (await stat(output)).size,
      file: output,
    };
  } finally {
    for (const leftover of [draft, blocksPath]) await rm(leftover, { force: true });
  }
}

/** Fetches what belongs to one object, and says which block is the root of what is wanted. */
async function gather(
  api: ContentReader,
  what: { readonly reference: string } & Pick<ExportRequest, "from" | "path">,
  blocks: BlockFile,
  work: Work,
): Promise<CID> {
  const fetching = await Fetching.begin(api, what.reference, what.from, work);
  await fetchBlocks(fetching, blocks);
  work.done += 1;
  const root = parseCid(fetching.object.cid);
  return what.path === undefined ? root : (await unixfsEntry(blocks, root, what.path)).cid;
}

async function* stoppable(stream: ByteStream, work: Work): ByteStream {
  for await (const bytes of stream) {
    work.signal.throwIfAborted();
    yield bytes;
  }
}

function tooMany(): EngineError {
  return new EngineError("REFUSED", `these are more than ${rootsMax} objects`, {
    hint: "export them in several CARs, such as by collection",
  });
}
