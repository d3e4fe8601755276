import type { Confidence, Evidence, ObjectRef, StoredCopy } from "#model/copy.ts";
import type {
  BackendStatus,
  BackendTrouble,
  ByteStream,
  CallOptions,
  ClearOptions,
  Driver,
  DriverContext,
  ListedCopy,
  ListOptions,
  ObjectGroups,
  ReadOptions,
  RemoveOptions,
  StorageIdentity,
  VerifyOptions,
  WriteBody,
  WriteOptions,
} from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import type { GarbageStep } from "#model/garbage.ts";
import { formatSize } from "#model/quantity.ts";
import type { RemovalPermit } from "#model/removal.ts";
import { throwIfCancelled } from "#drivers/contract/cancelled.ts";
import { BlocksThere } from "#drivers/contract/blocks-there.ts";
import { checkPermit } from "#drivers/contract/check-permit.ts";
import { bytesOf, CountedCapacity } from "#drivers/contract/counted-capacity.ts";
import { ipfsPeer } from "#drivers/contract/ipfs-peer.ts";
import { discardBody } from "#drivers/contract/discard-body.ts";
import { expectedBytes } from "#drivers/contract/expect-bytes.ts";
import { rootedCar } from "#drivers/contract/rooted-car.ts";
import { stopOnAbort } from "#drivers/contract/stop-on-abort.ts";
import { verifyCopy } from "#drivers/contract/verify-copy.ts";
import { collectGarbage } from "#drivers/kubo/collect-garbage.ts";
import { kuboCapabilities } from "#drivers/kubo/kubo-capabilities.ts";
import { dropDamagedBlocks } from "#drivers/kubo/drop-damaged-blocks.ts";
import { isIntactFile } from "#drivers/kubo/intact-file.ts";
import { findTroubles } from "#drivers/kubo/find-troubles.ts";
import { unreadableDag } from "#drivers/kubo/kubo-error.ts";
import { KuboGroups } from "#drivers/kubo/kubo-groups.ts";
import { KuboNode } from "#drivers/kubo/kubo-node.ts";
import type { KuboOptions } from "#drivers/kubo/kubo-options.ts";
import { listPins } from "#drivers/kubo/list-pins.ts";
import { oneAtATime, streamOneAtATime } from "#drivers/kubo/one-at-a-time.ts";
import { readFile } from "#drivers/kubo/read-file.ts";
import { sampleBlocks } from "#drivers/kubo/sample-blocks.ts";

const sentWholeMax = 1_000;

/** Copies as recursive pins of one IPFS node. What nobody pins is no copy, though it is there. */
export class KuboDriver implements Driver {
  readonly kind = "kubo";
  readonly capabilities = kuboCapabilities;
  readonly readsFiles = true;
  readonly tellsParts = true;
  readonly account: string | undefined;
  readonly groupsWithinAccount = true;
  readonly readGroup: ObjectGroups["readGroup"];
  readonly storeGroup: ObjectGroups["storeGroup"];
  readonly identity: StorageIdentity = {
    kind: "ipfs",
    names: async ({ signal } = {}) => [ipfsPeer(await this.#node.peer(signal))],
  };
  readonly #context: DriverContext<KuboOptions>;
  readonly #backend: string;
  readonly #node: KuboNode;
  readonly #capacity: CountedCapacity;
  /** What must not happen at once: replacing blocks, and dropping those that no pin needs. */
  readonly #unpinned: string;
  /** Objects of which blocks that were said to be there were not: all are sent next time. */
  readonly #sentWhole = new Set<string>();

  constructor(context: DriverContext<KuboOptions>) {
    const { swarm } = context.options;
    this.#context = context;
    this.account = swarm === undefined ? undefined : `ipfs swarm ${swarm}`;
    this.#backend = context.backend;
    this.#node = new KuboNode(context);
    const { backend, capacityBytes } = context;
    this.#capacity = new CountedCapacity(backend, capacityBytes, () => bytesOf(this.list()));
    this.#unpinned = `blocks without a pin at ${this.#node.rpc}`;
    const groups = new KuboGroups({
      backend,
      node: this.#node,
      capacity: this.#capacity,
      copyOf,
      checkRoom: (bytes, signal) => this.#checkRoom(bytes, signal),
    });
    this.readGroup = groups.readGroup.bind(groups);
    this.storeGroup = groups.storeGroup.bind(groups);
  }

  async status({ signal }: CallOptions = {}): Promise<BackendStatus> {
    const server = await this.#node.askServer(signal);
    const room = await this.#node.room(signal);
    await this.#capacity.count(signal);
    const { isLimited, usedBytes, freeBytes, totalBytes } = this.#capacity;
    const roomBytes = Math.max(0, room.maxBytes - room.usedBytes);
    return {
      server,
      // Whether the disk takes more is seen only by writing.
      writable: true,
      usedBytes: isLimited ? usedBytes : room.usedBytes,
      freeBytes: Math.min(freeBytes ?? roomBytes, roomBytes),
      totalBytes: totalBytes ?? room.maxBytes,
    };
  }

  troubles({ signal }: CallOptions = {}): Promise<readonly BackendTrouble[]> {
    return findTroubles(this.#context, signal);
  }

  async stat({ cid }: ObjectRef, { signal }: CallOptions = {}): Promise<StoredCopy | undefined> {
    throwIfCancelled(signal, `looking for ${cid}`);
    if (!(await this.#node.isPinned(cid, signal))) return undefined;
    return copyOf(cid, (await this.#node.facts(cid, signal)).bytes);
  }

  async read(object: ObjectRef, _copy: StoredCopy, options: ReadOptions = {}): Promise<ByteStream> {
    const { signal, range, asFile } = options;
    const { cid } = object;
    const doing = `reading ${cid} from ${this.#backend}`;
    throwIfCancelled(signal, doing);
    if (range !== undefined && asFile !== true) {
      throw new EngineError("NOT_SUPPORTED", `${doing}: blocks have no ranges of bytes`);
    }
    if (!(await this.#node.isPinned(cid, signal))) {
      throw new EngineError("NOT_FOUND", `${doing}: the node does not pin it`);
    }
    const stream =
      asFile === true
        ? readFile(this.#node, object, options)
        : readable(() => this.#node.export(cid, signal), cid);
    return stopOnAbort(stream, signal, doing);
  }

  async write(object: ObjectRef, body: WriteBody, options: WriteOptions = {}): Promise<StoredCopy> {
    const { signal } = options;
    const doing = `writing ${object.cid} to ${this.#backend}`;
    throwIfCancelled(signal, doing);
    const bytes = expectedBytes(object, body, kuboCapabilities) ?? object.size;
    // A node that pins what it pins already gives the pin up first and makes it anew after a walk
    // of all blocks, which may fail: no two writers may get there.
    const name = `${this.#node.rpc} ${object.cid}`;
    const write = () => this.#write(object, body, bytes, options);
    // While blocks are replaced nothing pins the rest of them.
    const act = options.replace === true ? () => oneAtATime(this.#unpinned, write, signal) : write;
    return await oneAtATime(name, act, signal);
  }

  async copyWithin(
    object: ObjectRef,
    from: StoredCopy,
    { signal }: CallOptions = {},
  ): Promise<StoredCopy> {
    const { cid } = object;
    const doing = `fetching ${cid} to ${this.#backend}`;
    const name = `${this.#node.rpc} ${cid}`;
    const options = signal === undefined ? {} : { signal };
    const pull = async (): Promise<StoredCopy> => {
      const existing = await this.stat(object, options);
      if (existing !== undefined) return existing;
      await this.#checkRoom(from.bytes, signal);
      await this.#capacity.count(signal);
      using _reservation = this.#capacity.reserve(from.bytes);
      await this.#node.pull(cid, signal);
      const stored = await this.stat(object, options);
      if (stored === undefined) throw pinnedByOthers(doing);
      this.#capacity.add(stored.bytes);
      return stored;
    };
    return await oneAtATime(name, pull, signal);
  }

  async verify(
    object: ObjectRef,
    level: Confidence,
    options: VerifyOptions = {},
  ): Promise<Evidence> {
    if (level === "sampled") return await this.#sample(object, options);
    const isIntact = () => isIntactFile(this.#node, object, options.signal);
    return await verifyCopy(this, this.#backend, object, level, options, isIntact);
  }

  async remove(
    object: ObjectRef,
    permit: RemovalPermit,
    { signal, confirm }: RemoveOptions = {},
  ): Promise<"removed" | "absent"> {
    checkPermit(this.#backend, object, permit);
    const existing = await this.stat(object, signal === undefined ? {} : { signal });
    if (existing === undefined) return "absent";
    await confirm?.();
    if (!(await this.#node.unpin(object.cid, signal))) return "absent";
    this.#capacity.add(-existing.bytes);
    return "removed";
  }

  list(options: ListOptions = {}): AsyncIterable<ListedCopy> {
    return listPins(this.#node, copyOf, options);
  }

  collectGarbage(options: ClearOptions = {}): AsyncIterable<GarbageStep> {
    const collect = () => collectGarbage(this.#node, options);
    // A rehearsal drops nothing.
    if (options.dryRun === true) return collect();
    return streamOneAtATime(this.#unpinned, collect, options.signal);
  }

  close(): Promise<void> {
    this.#node.close();
    return Promise.resolve();
  }

  async #write(
    object: ObjectRef,
    body: WriteBody,
    bytes: number,
    options: WriteOptions,
  ): Promise<StoredCopy> {
    const { signal, replace } = options;
    const doing = `writing ${object.cid} to ${this.#backend}`;
    const existing = await this.stat(object, options);
    using reserved = new DisposableStack();
    const prepare = async (): Promise<void> => {
      await this.#checkRoom(bytes, signal);
      await this.#capacity.count(signal);
      // What is there is counted already.
      reserved.use(this.#capacity.reserve(Math.max(0, bytes - (existing?.bytes ?? 0))));
    };
    if (existing === undefined) await prepare();
    // Whether a pin that is there stays one is for its check to say, not for its size.
    else if (
      replace !== true ||
      !(await dropDamagedBlocks(this.#node, object.cid, prepare, signal))
    ) {
      await discardBody(body);
      return existing;
    }
    await this.#send(object, stopOnAbort(body.stream, signal, doing), options);
    const stored = await this.stat(object, options);
    if (stored === undefined) throw pinnedByOthers(doing);
    this.#capacity.add(stored.bytes - (existing?.bytes ?? 0));
    return stored;
  }

  /** Sends the blocks that the node has not, and has it pin all of them. */
  async #send(
    object: ObjectRef,
    stream: ByteStream,
    { signal, replace, onPart }: WriteOptions,
  ): Promise<void> {
    const { cid, size } = object;
    // Of what is replaced nobody has seen the blocks below those that were damaged.
    const all = replace === true || this.#sentWhole.has(cid);
    const there = new BlocksThere(all ? 0 : size, async (block, bytes) => {
      return (await this.#node.blockBytes(block, signal)) === bytes;
    });
    try {
      await this.#node.import(object, rootedCar(stream, object, there, onPart), signal);
      this.#sentWhole.delete(cid);
    } catch (thrown) {
      const { code } = EngineError.from(thrown);
      const isDoubtful = code === "CORRUPT" || (code === "TIMEOUT" && signal?.aborted !== true);
      if (there.found === 0 || !isDoubtful) throw thrown;
      // The node was wrong about them, and may look for them in the network for ever.
      if (this.#sentWhole.size >= sentWholeMax) this.#sentWhole.clear();
      this.#sentWhole.add(cid);
      const message = `writing ${cid} to ${this.#backend}: blocks of an earlier try are missing`;
      throw new EngineError("UNAVAILABLE", message, { cause: thrown });
    }
  }

  /** The node itself goes beyond its limit; we do not. */
  async #checkRoom(bytes: number, signal: AbortSignal | undefined): Promise<void> {
    const { usedBytes, maxBytes } = await this.#node.room(signal);
    if (maxBytes === 0 || usedBytes + bytes <= maxBytes) return;
    const free = formatSize(Math.max(0, maxBytes - usedBytes));
    throw new EngineError(
      "NO_SPACE",
      `backend ${this.#backend}: ${formatSize(bytes)} more would exceed what the node may hold ` +
        `(Datastore.StorageMax, ${free} free)`,
      { hint: "collect the node's garbage, raise StorageMax, or evict from this backend" },
    );
  }

  async #sample(object: ObjectRef, { signal }: CallOptions): Promise<Evidence> {
    const { cid } = object;
    const found = (finding: Evidence["finding"], method: string, bytesRead: number): Evidence => ({
      backend: this.#backend,
      cid,
      finding,
      confidence: "sampled",
      method,
      checkedAt: new Date().toISOString(),
      bytesRead,
    });
    if (!(await this.#node.isPinned(cid, signal))) {
      return found("absent", "looked for its pin: not there", 0);
    }
    try {
      const walked = await this.#node.dagBytes(cid, signal);
      const { blocks, bytes } = await sampleBlocks(this.#node, cid, signal);
      const method = `the node walked ${walked} bytes of blocks, and ${blocks} were re-hashed`;
      return found("present", method, bytes);
    } catch (error) {
      const failure = EngineError.from(unreadableDag(error, cid));
      if (failure.code === "CORRUPT") return found("corrupt", failure.message, 0);
      throw failure;
    }
  }
}

function pinnedByOthers(doing: string): EngineError {
  return new EngineError("CONFLICT", `${doing}: somebody else pins or unpins it right now`);
}

function copyOf(cid: string, bytes: number): StoredCopy {
  return { locator: `/ipfs/${cid}`, form: "dag", bytes };
}

/** What a node pins and cannot read to its end is damaged there. */
async function* readable(open: () => Promise<ByteStream>, cid: string): ByteStream {
  try {
    yield* await open();
  } catch (thrown) {
    throw unreadableDag(thrown, cid);
  }
}
