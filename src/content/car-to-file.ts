import type { CID } from "multiformats/cid";
import { blockIdentity, CarChecker } from "#content/car-checker.ts";
import type { CarBlock } from "#content/car-parser.ts";
import { canonicalCid, parseCid } from "#content/cid.ts";
import type { DagNode } from "#content/dag-node.ts";
import { FileHasher } from "#content/file-hasher.ts";
import { profileNamed } from "#content/profile.ts";
import type { ObjectRef } from "#model/copy.ts";
import type { ByteStream } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";

/** Blocks that a file repeats are kept up to this much, for CARs that carry each only once. */
const repeatBytesMax = 32 * 1024 * 1024;

/**
 * Turns the CAR of a file into the bytes of the file, in one pass, every block verified by the end. Both
 * orders in use are understood: parents first (Kubo, gateways; a block may be left out when it
 * came before) and children first (ours and most importers). Where the stream would end it
 * throws CORRUPT when the object is not whole. NOT_SUPPORTED (`isNoFile`) says that the object is
 * not to be had as a file: it is none, its blocks come in an order that needs them stored first,
 * or, where it is to be stored, its profile would give its bytes another CID: as nothing but the
 * bytes would be left, nobody could check them.
 */
export async function* carToFile(
  stream: ByteStream,
  object: ObjectRef,
  purpose: "read" | "store" = "read",
): AsyncGenerator<Uint8Array> {
  const ready: Uint8Array[] = [];
  const emit = (data: Uint8Array): void => void (data.length > 0 && ready.push(data));
  let order: BlockOrder | undefined;
  const checker = new CarChecker(object, (block, node) => {
    if (node.fileBytes === undefined && isRoot(block, object)) throw noFile(object, isOther);
    order ??= isRoot(block, object)
      ? new ParentsFirst(object, emit, purpose === "store")
      : new ChildrenFirst(object, emit);
    order.take(block, node);
  });
  for await (const bytes of stream) {
    await checker.update(bytes);
    yield* ready.splice(0);
  }
  await checker.finish();
  // A root in its CID comes last where the CAR leaves it out.
  yield* ready.splice(0);
  if (order?.finished()) return;
  throw noFile(object, "its blocks are in another order than the file, or of another profile");
}

/** Whether content could not be had as a file, but could be kept as a CAR. */
export function isNoFile(error: EngineError): boolean {
  return error.code === "NOT_SUPPORTED" && error.details["content"] === "no file";
}

const isOther = "it is a directory or other data";

function noFile({ cid }: ObjectRef, reason: string): EngineError {
  return new EngineError("NOT_SUPPORTED", `${cid} is not to be had as a file: ${reason}`, {
    hint: "keep it on a backend that stores CARs or blocks",
    details: { cid, content: "no file" },
  });
}

interface KeptBlock {
  readonly cid: CID;
  readonly node: DagNode;
  readonly bytes: number;
}

interface BlockOrder {
  take(block: CarBlock, node: DagNode): void;
  /** After the last block: whether exactly the bytes of the file were emitted. */
  finished(): boolean;
}

/** Children come before their parent: whether its profile makes just these is seen at the end. */
class ChildrenFirst implements BlockOrder {
  readonly #hasher: FileHasher;
  readonly #emit: (data: Uint8Array) => void;
  readonly #expected: string;
  #lost = false;

  constructor(object: ObjectRef, emit: (data: Uint8Array) => void) {
    this.#hasher = new FileHasher(profileNamed(object.profile));
    this.#emit = emit;
    this.#expected = canonicalCid(object.cid);
  }

  take({ cid }: CarBlock, node: DagNode): void {
    if (node.links.length > 0 || !node.data) return;
    this.#lost ||= !this.#hasher.updateLeaf(cid, node.data);
    this.#emit(node.data);
  }

  finished(): boolean {
    return !this.#lost && this.#hasher.finish().cid === this.#expected;
  }
}

/** Parents come first: the links say which block is next, so the order itself is the proof. */
class ParentsFirst implements BlockOrder {
  readonly #object: ObjectRef;
  readonly #emit: (data: Uint8Array) => void;
  /** Where it matters, sees whether the profile would cut and link the bytes in the same way. */
  readonly #hasher: FileHasher | undefined;
  /** Blocks still to come, the next one last. */
  readonly #expected: string[];
  readonly #kept = new Map<string, KeptBlock>();
  #keptBytes = 0;
  #lost = false;

  constructor(object: ObjectRef, emit: (data: Uint8Array) => void, ofProfile: boolean) {
    this.#object = object;
    this.#expected = [blockIdentity(parseCid(object.cid))];
    this.#emit = emit;
    this.#hasher = ofProfile ? new FileHasher(profileNamed(object.profile)) : undefined;
  }

  take(block: CarBlock, node: DagNode): void {
    const identity = blockIdentity(block.cid);
    if (identity === this.#expected.at(-1)) {
      this.#expected.pop();
      const kept = { cid: block.cid, node, bytes: block.bytes.length };
      this.#keep(identity, kept);
      this.#visit(kept);
      this.#takeKept();
    } else if (!this.#kept.has(identity)) {
      this.#lost ||= this.#expected.length > 0;
    }
  }

  finished(): boolean {
    if (this.#lost || this.#expected.length > 0) return false;
    const hasher = this.#hasher;
    return hasher === undefined || hasher.finish().cid === canonicalCid(this.#object.cid);
  }

  #visit({ cid, node }: KeptBlock): void {
    if (this.#lost) return;
    const { data, links } = node;
    if (data && (links.length === 0 || data.length > 0)) {
      if (this.#hasher?.updateLeaf(cid, data) === false) {
        throw noFile(this.#object, this.#otherProfile());
      }
      this.#emit(data);
    }
    this.#expected.push(...links.map((link) => blockIdentity(link)).toReversed());
  }

  /** Goes on with blocks that came before and are due again. */
  #takeKept(): void {
    for (;;) {
      const identity = this.#expected.at(-1);
      const kept = identity === undefined ? undefined : this.#kept.get(identity);
      if (identity === undefined || !kept) return;
      this.#expected.pop();
      this.#keep(identity, kept);
      this.#visit(kept);
    }
  }

  #otherProfile(): string {
    return `the profile ${this.#object.profile} would give its bytes another CID`;
  }

  /** The least recently used block goes first when there is too much. */
  #keep(identity: string, block: KeptBlock): void {
    if (!this.#kept.delete(identity)) this.#keptBytes += block.bytes;
    this.#kept.set(identity, block);
    for (const [oldest, entry] of this.#kept) {
      if (this.#keptBytes <= repeatBytesMax) return;
      this.#kept.delete(oldest);
      this.#keptBytes -= entry.bytes;
    }
  }
}

function isRoot(block: CarBlock, object: ObjectRef): boolean {
  return blockIdentity(block.cid) === blockIdentity(parseCid(object.cid));
}
