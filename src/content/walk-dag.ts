import type { CID } from "multiformats/cid";
import type { BlockSource } from "#content/block-file.ts";
import { blockIdentity } from "#content/car-checker.ts";
import { carHeader, carSectionHead } from "#content/car-writer.ts";
import { dagPbCode, rawCode } from "#content/cid.ts";
import { decodeNode, type DagNode } from "#content/dag-node.ts";
import type { ByteStream } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";

export interface CarOrder {
  /** Follow links only so many steps down from each root: 0 is the root alone. */
  readonly depth?: number;
}

interface CarMaking extends CarOrder {
  /** Gives room for so many bytes of a raw block; without it each has memory of its own. */
  readonly memory?: (bytes: number) => Uint8Array;
}

/**
 * A CARv1 of everything below the roots: depth first, each node before its children, each block
 * once. That is the order in which Kubo's `dag export` and gateways (`dfs`, no duplicates) write
 * them. The same roots give the same bytes. NOT_FOUND when a block is missing.
 */
export async function* carOfDag(
  blocks: BlockSource,
  roots: readonly CID[],
  { depth = Number.POSITIVE_INFINITY, memory }: CarMaking = {},
): ByteStream {
  yield carHeader(...roots);
  /** How far below each block it was looked. */
  const seen = new Map<string, number>();
  const pending: Step[] = roots.map((cid) => ({ cid, depth })).toReversed();
  for (let step = pending.pop(); step !== undefined; step = pending.pop()) {
    const { cid, depth: rest } = step;
    const before = seen.get(blockIdentity(cid));
    if (before !== undefined && before >= rest) continue;
    seen.set(blockIdentity(cid), rest);
    // CIDs of links are parts of the block that they stand in: it keeps its memory.
    const bytes = await blocks.get(cid, cid.code === rawCode ? memory : undefined);
    if (before === undefined) {
      yield carSectionHead(cid, [bytes]);
      yield bytes;
    }
    if (rest === 0 || cid.code === rawCode) continue;
    const { links } = decodeNode({ cid, bytes });
    for (const link of links.toReversed()) pending.push({ cid: link, depth: rest - 1 });
  }
}

interface Step {
  readonly cid: CID;
  readonly depth: number;
}

/** What lies below a root. */
export interface DagSurvey {
  /** Bytes of the file; of anything else those of all files below it and of other data. */
  readonly size: number;
  readonly isFile: boolean;
  readonly isDirectory: boolean;
  readonly blocks: number;
  readonly missing: number;
  /** The first few of them. */
  readonly missingCids: readonly string[];
}

const namedMax = 5;

/** Follows every link below a root, and says how large its content is and what is missing. */
export async function surveyDag(blocks: BlockSource, root: CID): Promise<DagSurvey> {
  const sizes = new Map<string, number>();
  const missing: string[] = [];
  let missingCount = 0;
  let isFile = false;
  const open: OpenNode[] = [];
  const enter = async (cid: CID): Promise<void> => {
    const identity = blockIdentity(cid);
    if (!blocks.has(cid)) {
      sizes.set(identity, 0);
      missingCount += 1;
      if (missing.length < namedMax) missing.push(cid.toString());
    } else if (cid.code === rawCode) {
      sizes.set(identity, blocks.sizeOf(cid));
      if (open.length === 0) isFile = true;
    } else {
      const bytes = await blocks.get(cid);
      const node = decodeNode({ cid, bytes });
      if (open.length === 0) isFile = node.fileBytes !== undefined;
      const own = cid.code === dagPbCode ? 0 : bytes.length;
      open.push({ identity, node, own, next: 0 });
    }
  };
  await enter(root);
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const link = top.node.links[top.next];
    top.next += 1;
    if (link === undefined) {
      open.pop();
      sizes.set(top.identity, sizeOf(top, sizes));
    } else if (!sizes.has(blockIdentity(link))) {
      await enter(link);
    }
  }
  const size = sizes.get(blockIdentity(root)) ?? 0;
  const isDirectory = root.code === dagPbCode && !isFile;
  return {
    size,
    isFile,
    isDirectory,
    blocks: sizes.size,
    missing: missingCount,
    missingCids: missing,
  };
}

/** Throws CORRUPT, with the names of what is missing, unless everything below the root is here. */
export function requireWhole(root: CID, { missing, missingCids }: DagSurvey): void {
  if (missing === 0) return;
  const more = missing > missingCids.length ? ` and ${missing - missingCids.length} more` : "";
  const message = `blocks of ${root.toString()} are missing: ${missingCids.join(", ")}${more}`;
  throw new EngineError("CORRUPT", message, {
    hint: "export it again, whole: a CAR of a part of an object cannot become that object",
    details: { cid: root.toString(), missing },
  });
}

interface OpenNode {
  readonly identity: string;
  readonly node: DagNode;
  /** Bytes that count as content themselves. */
  readonly own: number;
  next: number;
}

function sizeOf({ node, own }: OpenNode, sizes: ReadonlyMap<string, number>): number {
  if (node.fileBytes !== undefined) return node.fileBytes;
  return node.links.reduce((sum, link) => sum + (sizes.get(blockIdentity(link)) ?? 0), own);
}
