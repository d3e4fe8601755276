import { isAddressOf } from "#content/address-file.ts";
import { carHeader, carSectionHead } from "#content/car-writer.ts";
import { parseCid, rawCode, sha256Code } from "#content/cid.ts";
import type { CountedCapacity } from "#drivers/contract/counted-capacity.ts";
import { readBackEvidence } from "#drivers/contract/read-back-evidence.ts";
import type { KuboNode } from "#drivers/kubo/kubo-node.ts";
import { oneAtATime } from "#drivers/kubo/one-at-a-time.ts";
import type { ObjectRef, StoredCopy } from "#model/copy.ts";
import type {
  ByteStream,
  GroupBytes,
  GroupCopy,
  GroupOptions,
  ObjectGroups,
} from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";

type Signal = AbortSignal | undefined;

export interface KuboGroupsOptions {
  readonly backend: string;
  readonly node: KuboNode;
  readonly capacity: CountedCapacity;
  readonly copyOf: (cid: string, bytes: number) => StoredCopy;
  /** Throws where the node itself has no room for so many bytes. */
  readonly checkRoom: (bytes: number, signal: Signal) => Promise<void>;
}

/**
 * Groups of small objects on a node: one CAR brings all of a group, with each of them as a root to
 * pin, and one answer gives back the bytes of all. Only files of one raw block go this way, whose
 * bytes are all there is to check.
 */
export class KuboGroups implements ObjectGroups {
  readonly #backend: string;
  readonly #node: KuboNode;
  readonly #options: KuboGroupsOptions;

  constructor(options: KuboGroupsOptions) {
    this.#backend = options.backend;
    this.#node = options.node;
    this.#options = options;
  }

  async readGroup(objects: readonly ObjectRef[], options: GroupOptions = {}): Promise<GroupBytes> {
    const { signal, onError } = options;
    const plain = objects.filter(isOneBlock);
    const pinned = await this.#pinned(plain, signal).catch((thrown: unknown) => {
      onError?.(EngineError.from(thrown));
      return new Set<ObjectRef>();
    });
    const read = await this.#read([...pinned], options);
    return { bytes: objects.map((object) => read.get(object)), [Symbol.dispose]: () => undefined };
  }

  async storeGroup(
    objects: readonly ObjectRef[],
    bytes: readonly Uint8Array[],
    options: GroupOptions = {},
  ): Promise<readonly (GroupCopy | undefined)[]> {
    const { signal, onError } = options;
    const content = new Map(objects.map((object, at) => [object, bytes[at] ?? new Uint8Array()]));
    const plain = objects.filter(isOneBlock);
    try {
      const known = await oneAtATime(
        `groups at ${this.#node.rpc}`,
        () => this.#store(plain, content, signal),
        signal,
      );
      const held = await this.#pinned(plain, signal);
      const read = await this.#read([...held], options);
      return objects.map((object) =>
        read.has(object) ? this.#stored(object, !known.has(object)) : undefined,
      );
    } catch (thrown) {
      // Full, out, or told to stop: each object hears it again alone.
      onError?.(EngineError.from(thrown));
      return objects.map(() => undefined);
    }
  }

  /** Brings those that are not pinned yet; returns those that were. */
  async #store(
    objects: readonly ObjectRef[],
    content: ReadonlyMap<ObjectRef, Uint8Array>,
    signal: Signal,
  ): Promise<ReadonlySet<ObjectRef>> {
    const { capacity, checkRoom } = this.#options;
    const known = await this.#pinned(objects, signal);
    const absent = objects.filter((object) => !known.has(object));
    if (absent.length === 0) return known;
    const size = absent.reduce((sum, object) => sum + object.size, 0);
    await checkRoom(size, signal);
    await capacity.count(signal);
    using _reservation = capacity.reserve(size);
    const sizes = new Map(absent.map((object) => [object.cid, object.size]));
    const doing = `writing ${absent.length} objects to ${this.#backend}`;
    const car = carOf(absent, content);
    for await (const { Cid, PinErrorMsg } of this.#node.roots(car, doing, signal)) {
      if (!PinErrorMsg) capacity.add(sizes.get(Cid["/"]) ?? 0);
    }
    return known;
  }

  /** Those that the node pins: asked for all at once, and one by one where it does not pin all. */
  async #pinned(objects: readonly ObjectRef[], signal: Signal): Promise<ReadonlySet<ObjectRef>> {
    const cids = objects.map(({ cid }) => cid);
    if (cids.length === 0 || (await this.#node.isPinned(cids, signal))) return new Set(objects);
    // As many at a time as there are connections.
    const asked = await Promise.allSettled(cids.map((cid) => this.#node.isPinned(cid, signal)));
    return new Set(
      objects.filter((_, at) => {
        const answer = asked[at];
        if (answer?.status === "rejected") throw answer.reason;
        return answer?.value === true;
      }),
    );
  }

  /** The bytes of those that can be read and are what they should be. */
  async #read(
    objects: readonly ObjectRef[],
    { signal, onError }: GroupOptions,
  ): Promise<ReadonlyMap<ObjectRef, Uint8Array>> {
    const read = new Map<ObjectRef, Uint8Array>();
    const keep = (object: ObjectRef, bytes: Uint8Array): void => {
      if (isAddressOf(object.cid, bytes, object.profile)) read.set(object, bytes);
    };
    if (objects.length === 0) return read;
    const cids = objects.map(({ cid }) => cid);
    try {
      const size = objects.reduce((sum, object) => sum + object.size, 0);
      const all = await collect(await this.#node.files(cids, signal), size);
      let at = 0;
      for (const object of objects) keep(object, all.subarray(at, (at += object.size)));
    } catch {
      // One of them cannot be read: the others are, one by one.
      const blocks = cids.map((cid) => this.#node.block(cid, signal));
      for (const [at, block] of (await Promise.allSettled(blocks)).entries()) {
        const object = objects[at];
        if (block.status === "rejected") onError?.(EngineError.from(block.reason));
        else if (object !== undefined) keep(object, block.value);
      }
    }
    return read;
  }

  #stored(object: ObjectRef, moved: boolean): GroupCopy {
    const evidence = readBackEvidence(this.#backend, object, new Date());
    return { copy: this.#options.copyOf(object.cid, object.size), evidence, moved };
  }
}

/** Empty ones are left out: nodes treat the block of no bytes in ways of their own. */
function isOneBlock({ cid: text, size }: ObjectRef): boolean {
  const cid = parseCid(text);
  const isRaw = cid.code === rawCode && cid.multihash.code === sha256Code;
  // Answers name roots by the CID as it is written: another spelling would not be known again.
  return isRaw && cid.version === 1 && size > 0 && cid.toString() === text;
}

/** What comes, up to so many bytes: more is of no use to anybody. */
async function collect(stream: ByteStream, size: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of stream) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes > size) break;
  }
  return Buffer.concat(pieces);
}

/** One CAR of all these blocks, each of which is a root. */
async function* carOf(
  objects: readonly ObjectRef[],
  content: ReadonlyMap<ObjectRef, Uint8Array>,
): ByteStream {
  const roots = objects.map(({ cid }) => parseCid(cid));
  const sections = objects.flatMap((object, at) => {
    const [cid, bytes] = [roots[at], content.get(object)];
    return cid === undefined || bytes === undefined ? [] : [carSectionHead(cid, [bytes]), bytes];
  });
  yield await Promise.resolve(Buffer.concat([carHeader(...roots), ...sections]));
}
