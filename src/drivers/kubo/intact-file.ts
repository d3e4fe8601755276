import { blockIdentity } from "#content/car-checker.ts";
import { carBlockBytesMax } from "#content/car-parser.ts";
import { checkBlock } from "#content/check-block.ts";
import { dagPbCode, parseCid } from "#content/cid.ts";
import { decodeNode, type FileLeaf, leavesBelow } from "#content/dag-node.ts";
import { hashPiece } from "#content/hash-piece.ts";
import { unreadableDag } from "#drivers/kubo/kubo-error.ts";
import type { KuboNode } from "#drivers/kubo/kubo-node.ts";
import type { ObjectRef } from "#model/copy.ts";
import { EngineError } from "#model/engine-error.ts";

type Signal = AbortSignal | undefined;

/** For less, a CAR is as quick. */
const worthwhileBytes = 4 * 1024 * 1024;
/** Leaves that are being hashed while the next comes: no more memory than these is held. */
const hashedAheadMax = 4;

/**
 * Reads every block of a large pinned file and hashes it: those with links one by one, the leaves
 * below each as the bytes of its part of the file, which costs the node a quarter of a CAR. False
 * where anything is not as it should be, and for what is no file of different raw leaves: a CAR
 * tells the rest.
 */
export async function isIntactFile(
  node: KuboNode,
  object: ObjectRef,
  signal: Signal,
): Promise<boolean> {
  const { cid, size } = object;
  if (size < worthwhileBytes || parseCid(cid).code !== dagPbCode) return false;
  try {
    return (await node.isPinned(cid, signal)) && (await isIntact(node, object, signal));
  } catch (thrown) {
    const failure = EngineError.from(unreadableDag(thrown, cid));
    // Who may not read files and blocks (API.Authorizations) may read CARs.
    if (failure.code === "CORRUPT" || failure.code === "FORBIDDEN") return false;
    throw failure;
  }
}

async function isIntact(node: KuboNode, object: ObjectRef, signal: Signal): Promise<boolean> {
  const seen = new Set<string>();
  const leafCheck = new LeafCheck(node, signal);
  const waiting = [parseCid(object.cid)];
  for (let cid = waiting.pop(); cid !== undefined; cid = waiting.pop()) {
    const block = { cid, bytes: await node.block(cid.toString(), signal) };
    checkBlock(block);
    const { links, fileBytes } = decodeNode(block);
    if (seen.size === 0 && fileBytes !== object.size) return false;
    const leaves = leavesBelow(block);
    const isAbove = links.length > 0 && links.every(({ code }) => code === dagPbCode);
    if (leaves === undefined && !isAbove) return false;
    for (const identity of [cid, ...(leaves === undefined ? [] : links)].map(blockIdentity)) {
      if (seen.has(identity)) return false;
      seen.add(identity);
    }
    if (leaves === undefined) waiting.push(...links.toReversed());
    else if (!(await leafCheck.areIntact(cid.toString(), leaves))) return false;
  }
  return true;
}

/** Hashes leaves on other threads, in memory that is used again. */
class LeafCheck {
  readonly #node: KuboNode;
  readonly #signal: Signal;
  readonly #spare: SharedArrayBuffer[] = [];

  constructor(node: KuboNode, signal: Signal) {
    this.#node = node;
    this.#signal = signal;
  }

  async areIntact(parent: string, leaves: readonly FileLeaf[]): Promise<boolean> {
    if (leaves.some(({ bytes }) => bytes > carBlockBytesMax)) return false;
    const body = await this.#node.filling(parent, this.#signal);
    const checks: Promise<boolean>[] = [];
    try {
      for (const leaf of leaves) {
        const memory = this.#memory(leaf.bytes);
        if ((await body.readInto(memory)) < leaf.bytes) return false;
        checks.push(this.#isLeaf(leaf, memory));
        if (checks.length > hashedAheadMax && !(await checks.shift())) return false;
      }
      // The end of the answer says whether all of it went well.
      const beyond = new Uint8Array(1);
      if ((await body.readInto(beyond)) > 0) return false;
      return (await Promise.all(checks)).every(Boolean);
    } finally {
      body.close();
      await Promise.allSettled(checks);
    }
  }

  #memory(bytes: number): Uint8Array {
    const spare = this.#spare.pop();
    const fits = spare !== undefined && spare.byteLength >= bytes;
    return new Uint8Array(fits ? spare : new SharedArrayBuffer(bytes), 0, bytes);
  }

  async #isLeaf({ cid }: FileLeaf, memory: Uint8Array): Promise<boolean> {
    const digest = await hashPiece(memory);
    this.#spare.push(memory.buffer as SharedArrayBuffer);
    return Buffer.compare(digest, cid.multihash.digest) === 0;
  }
}
