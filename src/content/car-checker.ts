import type { CID } from "multiformats/cid";
import { type CarBlock, type CarHandlers, CarParser } from "#content/car-parser.ts";
import { checkBlockElsewhere } from "#content/check-block.ts";
import { parseCid } from "#content/cid.ts";
import { SectionMemory } from "#content/section-memory.ts";
import { decodeNode, type DagNode } from "#content/dag-node.ts";
import type { ObjectRef } from "#model/copy.ts";
import { EngineError } from "#model/engine-error.ts";

/**
 * Receives each block. Its bytes were found to be those of its CID, but for large raw blocks: those
 * may still be being checked (see `settle`).
 */
export type CheckedBlockHandler = (block: CarBlock, node: DagNode) => void;

const identityCode = 0;
/** Blocks that are being hashed while the next come: no more memory than these is held. */
const hashedAheadMax = 4;

/**
 * Checks that a CAR holds an object, while its bytes pass: each block against its CID, the root
 * named in the header and present, every link of every block followed by a block, the size that
 * of the object. Remembers about a hundred bytes per block (1 TiB of 1 MiB blocks: 100 MiB).
 */
export class CarChecker {
  readonly #object: ObjectRef;
  readonly #root: string;
  readonly #parser: CarParser;
  readonly #onBlock: CheckedBlockHandler | undefined;
  /** Blocks by identity: those that came, and those that are linked and did not come yet. */
  readonly #seen = new Set<string>();
  readonly #missing = new Set<string>();
  /** Checks under way, the oldest first. */
  readonly #checks: Promise<void>[] = [];

  constructor(object: ObjectRef, onBlock?: CheckedBlockHandler) {
    this.#object = object;
    this.#onBlock = onBlock;
    this.#root = blockIdentity(parseCid(object.cid));
    // Who is handed blocks may keep them.
    const memory = onBlock === undefined ? new SectionMemory() : undefined;
    const handlers: CarHandlers = {
      onRoots: (roots) => {
        if (!roots.some((cid) => blockIdentity(cid) === this.#root)) {
          throw this.#corrupt(`its roots are ${roots.join(", ") || "none"}`);
        }
      },
      onBlock: (block) => {
        const checking = checkBlockElsewhere(block);
        if (checking !== undefined) {
          // Its failure is met when its turn comes.
          checking.then(
            () => memory?.give(block.bytes),
            () => undefined,
          );
          this.#checks.push(checking);
        }
        const node = decodeNode(block);
        this.#account(block, node);
        onBlock?.(block, node);
      },
    };
    this.#parser = new CarParser(handlers, memory && ((bytes) => memory.take(bytes)));
  }

  /**
   * Takes the next bytes of the CAR, which must stay as they are. Throws CORRUPT when something is
   * wrong with them, or with what came shortly before.
   */
  async update(bytes: Uint8Array): Promise<void> {
    this.#parser.update(bytes);
    if (this.#checks.length > hashedAheadMax) await this.settle(hashedAheadMax);
  }

  /** Waits until no more than so many blocks are still being checked. Throws as `update` does. */
  async settle(left = 0): Promise<void> {
    while (this.#checks.length > left) await this.#checks.shift();
  }

  /**
   * To be called where the stream ended: throws CORRUPT unless all of the object was there. Returns
   * a root that bears its own bytes and was left out, as gateways do.
   */
  async finish(): Promise<CarBlock | undefined> {
    this.#parser.finish();
    await this.settle();
    const leftOut = this.#takeRootInCid();
    if (!this.#seen.has(this.#root)) throw this.#corrupt("its root block is missing");
    if (this.#missing.size > 0) throw this.#corrupt(`${this.#missing.size} blocks are missing`);
    return leftOut;
  }

  #takeRootInCid(): CarBlock | undefined {
    const cid = parseCid(this.#object.cid);
    if (cid.multihash.code !== identityCode || this.#seen.has(this.#root)) return undefined;
    const block = { cid, bytes: cid.multihash.digest };
    const node = decodeNode(block);
    this.#account(block, node);
    this.#onBlock?.(block, node);
    return block;
  }

  #account({ cid }: CarBlock, node: DagNode): void {
    const identity = blockIdentity(cid);
    if (identity === this.#root) this.#checkSize(node);
    this.#seen.add(identity);
    this.#missing.delete(identity);
    for (const link of node.links) {
      const linked = blockIdentity(link);
      if (link.multihash.code === identityCode || this.#seen.has(linked)) continue;
      this.#missing.add(linked);
    }
  }

  #checkSize({ fileBytes }: DagNode): void {
    if (fileBytes === undefined || fileBytes === this.#object.size) return;
    throw this.#corrupt(`the file in it has ${fileBytes} bytes, not ${this.#object.size}`);
  }

  #corrupt(what: string): EngineError {
    const message = `this CAR does not hold ${this.#object.cid}: ${what}`;
    return new EngineError("CORRUPT", message, {
      hint: "restore this object from another copy",
      details: { cid: this.#object.cid },
    });
  }
}

/** Equal for CIDs of the same block, whatever their version. */
export function blockIdentity(cid: CID): string {
  return `${cid.code}:${Buffer.from(cid.multihash.bytes).toString("latin1")}`;
}
