import type { Confidence, Evidence, ObjectRef, StoredCopy } from "#model/copy.ts";
import type {
  BackendStatus,
  BackendTrouble,
  ByteStream,
  CallOptions,
  ClearOptions,
  Driver,
  DriverCapabilities,
  DriverContext,
  ListedCopy,
  ListOptions,
  ReadOptions,
  RemoveOptions,
  StorageIdentity,
  VerifyOptions,
  WriteBody,
  WriteOptions,
} from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import type { GarbageStep } from "#model/garbage.ts";
import type { RemovalPermit } from "#model/removal.ts";
import { throwIfCancelled } from "#drivers/contract/cancelled.ts";
import { BlocksThere } from "#drivers/contract/blocks-there.ts";
import type { Reservation } from "#drivers/contract/capacity.ts";
import { CountedCapacity } from "#drivers/contract/counted-capacity.ts";
import { checkPermit } from "#drivers/contract/check-permit.ts";
import { checkedCar } from "#drivers/contract/checked-car.ts";
import { discardBody } from "#drivers/contract/discard-body.ts";
import { expectedBytes } from "#drivers/contract/expect-bytes.ts";
import { rootedCar } from "#drivers/contract/rooted-car.ts";
import { tellSent } from "#drivers/contract/tell-sent.ts";
import { stopOnAbort } from "#drivers/contract/stop-on-abort.ts";
import { clusterCapabilitiesOf } from "#drivers/ipfs-cluster/cluster-capabilities.ts";
import type { ClusterClient, PinRequest } from "#drivers/ipfs-cluster/cluster-client.ts";
import { collectGarbage } from "#drivers/ipfs-cluster/collect-garbage.ts";
import { ClusterNames } from "#drivers/ipfs-cluster/cluster-names.ts";
import type { ClusterOptions } from "#drivers/ipfs-cluster/cluster-options.ts";
import { bytesKey, isHeld, listPins, pinCopy } from "#drivers/ipfs-cluster/list-pins.ts";
import { findTroubles } from "#drivers/ipfs-cluster/find-troubles.ts";
import type { NodeReader } from "#drivers/ipfs-cluster/node-reader.ts";
import { pinStanding, type WantedPin } from "#drivers/ipfs-cluster/pin-info.ts";
import { PreferredPeers } from "#drivers/ipfs-cluster/preferred-peers.ts";
import { verifyPin } from "#drivers/ipfs-cluster/verify-pin.ts";
import { isPinnedEnough, waitUntilPinned } from "#drivers/ipfs-cluster/wait-until-pinned.ts";

/** Copies as pins of an IPFS Cluster: one pin per object, at as many peers as it is set to. */
export class ClusterDriver implements Driver {
  readonly kind = "ipfs-cluster";
  readonly tellsParts = true;
  readonly capabilities: DriverCapabilities;
  /** The nodes that pin, which a `kubo` backend may be as well. */
  readonly identity: StorageIdentity = {
    kind: "ipfs",
    names: (options = {}) => this.#names.names(options),
  };
  readonly #backend: string;
  readonly #options: ClusterOptions;
  readonly #client: ClusterClient;
  readonly #names: ClusterNames;
  readonly #reader: NodeReader;
  readonly #capacity: CountedCapacity;
  readonly #preferred: PreferredPeers;

  constructor(context: DriverContext<ClusterOptions>, client: ClusterClient, reader: NodeReader) {
    this.#backend = context.backend;
    this.#options = context.options;
    this.capabilities = clusterCapabilitiesOf(context.options);
    this.#client = client;
    this.#names = new ClusterNames(context.backend, client);
    this.#reader = reader;
    this.#capacity = new CountedCapacity(context.backend, context.capacityBytes, async () => {
      let bytes = 0;
      for await (const { metadata } of this.#client.pinset({}))
        bytes += pinCopy("", metadata).bytes;
      return bytes;
    });
    this.#preferred = new PreferredPeers(client, context);
  }

  async status(options: CallOptions = {}): Promise<BackendStatus> {
    const version = await this.#client.version(options);
    const alive = await this.#client.metric("ping", options);
    await this.#capacity.count(options.signal);
    const { usedBytes, freeBytes, totalBytes, isLimited } = this.#capacity;
    const room = await this.#freeBytes(options);
    return {
      server: `IPFS Cluster ${version}, ${alive.size} peers`,
      // Whether the credentials may pin is seen only by pinning.
      writable: true,
      usedBytes: isLimited ? usedBytes : undefined,
      freeBytes: freeBytes === undefined ? room : Math.min(freeBytes, room ?? freeBytes),
      totalBytes,
    };
  }

  troubles(options: CallOptions = {}): Promise<readonly BackendTrouble[]> {
    const parts = { client: this.#client, reader: this.#reader, preferred: this.#preferred };
    return findTroubles({ options: this.#options, ...parts }, options);
  }

  async stat(object: ObjectRef, options: CallOptions = {}): Promise<StoredCopy | undefined> {
    const info = await this.#client.standing(object.cid, options);
    return isHeld(info, this.#backend) ? pinCopy(object.cid, info.metadata) : undefined;
  }

  async read(object: ObjectRef, _copy: StoredCopy, options: ReadOptions = {}): Promise<ByteStream> {
    const doing = `reading ${object.cid} from ${this.#backend}`;
    throwIfCancelled(options.signal, doing);
    if (!this.capabilities.operations.includes("read")) throw this.#cannotRead();
    const info = await this.#client.standing(object.cid, options);
    if (!isHeld(info, this.#backend)) {
      throw new EngineError("NOT_FOUND", `${object.cid} is not pinned on ${this.#backend}`);
    }
    const holders = pinStanding(info).pinned.map(({ ipfsPeer }) => ipfsPeer);
    const { stream } = await this.#reader.open(object.cid, holders, options);
    return stopOnAbort(stream, options.signal, doing);
  }

  async write(object: ObjectRef, body: WriteBody, options: WriteOptions = {}): Promise<StoredCopy> {
    const doing = `writing ${object.cid} to ${this.#backend}`;
    throwIfCancelled(options.signal, doing);
    expectedBytes(object, body, this.capabilities);
    if (options.replace !== true) {
      const pinned = await this.#alreadyPinned(object, body, options);
      if (pinned !== undefined) return pinned;
    }
    await this.#capacity.count(options.signal);
    // Blocks that repeat are kept once, but a file is as a rule about as large as its blocks.
    using reservation = this.#capacity.reserve(object.size);
    const stream = stopOnAbort(body.stream, options.signal, doing);
    const { bytes, peers } = await this.#addBlocks(object, stream, reservation, options);
    const replaced = await this.#client.wanted(object.cid, options);
    await this.#client.pin(object.cid, this.#pin(object, bytes, peers), options);
    this.#capacity.add(bytes - (replaced === undefined ? 0 : pinCopy("", replaced.metadata).bytes));
    await this.#untilPinned(object, options);
    return pinCopy(object.cid, { [bytesKey]: String(bytes) });
  }

  verify(object: ObjectRef, level: Confidence, options: VerifyOptions = {}): Promise<Evidence> {
    const { capabilities } = this;
    const place = { backend: this.#backend, capabilities, client: this.#client };
    return verifyPin({ ...place, reader: this.#reader }, object, level, options);
  }

  /** Unpins everywhere. The blocks lie on the peers until their nodes collect garbage. */
  async remove(
    object: ObjectRef,
    permit: RemovalPermit,
    options: RemoveOptions = {},
  ): Promise<"removed" | "absent"> {
    checkPermit(this.#backend, object, permit);
    const pin = await this.#client.wanted(object.cid, options);
    if (pin === undefined) return "absent";
    await options.confirm?.();
    const outcome = await this.#client.unpin(object.cid, options);
    if (outcome === "removed") this.#capacity.add(-pinCopy("", pin.metadata).bytes);
    return outcome;
  }

  list(options: ListOptions = {}): AsyncIterable<ListedCopy> {
    return listPins(this.#client, this.#backend, options);
  }

  collectGarbage(options: ClearOptions = {}): AsyncIterable<GarbageStep> {
    const cluster = { backend: this.#backend, client: this.#client, reader: this.#reader };
    return collectGarbage(cluster, options);
  }

  close(): Promise<void> {
    this.#client.close();
    this.#reader.close();
    return Promise.resolve();
  }

  /**
   * The copy, where any peer holds it already: the others fetch it from there, and nothing is
   * sent again. A pin that no peer has made yet lacks its content perhaps, and is sent it.
   */
  async #alreadyPinned(
    object: ObjectRef,
    body: WriteBody,
    options: CallOptions,
  ): Promise<StoredCopy | undefined> {
    const pin = await this.#client.wanted(object.cid, options);
    if (pin === undefined) return undefined;
    const info = await this.#client.standing(object.cid, options);
    if (!isHeld(info, this.#backend)) return undefined;
    await discardBody(body);
    const raised = this.#raised(object, pin);
    if (raised !== undefined) {
      const allocations = await this.#preferred.ids(options);
      await this.#client.pin(object.cid, { ...raised, allocations }, options);
      this.#capacity.add(pinCopy("", raised.metadata).bytes - pinCopy("", pin.metadata).bytes);
    }
    if (raised !== undefined || !isPinnedEnough(pinStanding(info), pin)) {
      await this.#untilPinned(object, options);
    }
    return pinCopy(object.cid, raised?.metadata ?? info.metadata);
  }

  /**
   * The pin at more peers, where it was made for fewer than our options ask for. The cluster adds
   * peers to those that have it until they are `replicationMin`, and no more up to the maximum.
   */
  #raised(object: ObjectRef, pin: WantedPin): PinRequest | undefined {
    const own = this.#pin(object, object.size, []);
    const { replication_factor_min: min, replication_factor_max: max, name, metadata } = pin;
    const replicationMin = morePeers(min, own.replicationMin);
    const replicationMax = morePeers(morePeers(max, own.replicationMax), replicationMin);
    if (replicationMin === min && replicationMax === max) return undefined;
    // What it is called, and what was noted of it, stays.
    const noted = { ...own.metadata, ...metadata };
    return { ...own, replicationMin, replicationMax, name: name || own.name, metadata: noted };
  }

  async #addBlocks(
    object: ObjectRef,
    stream: ByteStream,
    reservation: Reservation,
    options: WriteOptions,
  ): Promise<{ readonly bytes: number; readonly peers: readonly string[] }> {
    let bytes = 0;
    const checked = checkedCar(stream, object, {
      onBytes: (total) => {
        bytes = total;
        reservation.cover(total);
      },
      ...(options.replace === true && {
        beforePassing: (blocks) => this.#reader.removeDamaged(blocks, object.cid, options),
      }),
    });
    const pin = this.#pin(object, 0, await this.#preferred.ids(options));
    const there = new BlocksThere(options.replace === true ? 0 : object.size, (block, bytes) =>
      this.#reader.hold(block, bytes, this.#options.replicationMax, options),
    );
    const { onPart } = options;
    const car = there.isAsking
      ? rootedCar(checked, object, there, onPart)
      : tellSent(checked, onPart);
    const added = await this.#client.addBlocks(object.cid, pin, car, options);
    if (added.cid === object.cid) return { bytes, peers: added.allocations };
    const message = `${this.#backend}: the cluster took ${object.cid} for ${added.cid}`;
    throw new EngineError("CORRUPT", message, { hint: "nothing was pinned; try it again" });
  }

  #pin(object: ObjectRef, bytes: number, allocations: readonly string[]): PinRequest {
    const { replicationMin, replicationMax, name = object.cid, metadata } = this.#options;
    const noted = { ...metadata, [bytesKey]: String(bytes) };
    return { replicationMin, replicationMax, name, allocations, metadata: noted };
  }

  async #untilPinned({ cid }: ObjectRef, { signal }: CallOptions): Promise<void> {
    const pin: WantedPin | undefined = await this.#client.wanted(cid, { signal });
    if (pin === undefined) {
      throw new EngineError("CONFLICT", `${this.#backend}: the pin of ${cid} was taken away`);
    }
    const { pinTimeout: timeoutMs } = this.#options;
    await waitUntilPinned(this.#client, pin, { backend: this.#backend, timeoutMs, signal });
  }

  /** Room at all peers together, for so many copies as each pin makes; unknown without metric. */
  async #freeBytes(options: CallOptions): Promise<number | undefined> {
    const free = [...(await this.#client.metric("freespace", options)).values()].map(Number);
    const known = free.filter((bytes) => Number.isSafeInteger(bytes) && bytes >= 0);
    if (known.length === 0) return undefined;
    const { replicationMax } = this.#options;
    // What is pinned everywhere fits only where the smallest peer has room.
    if (replicationMax <= 0) return Math.min(...known);
    return Math.floor(known.reduce((sum, bytes) => sum + bytes, 0) / replicationMax);
  }

  #cannotRead(): EngineError {
    return new EngineError(
      "NOT_SUPPORTED",
      `${this.#backend} is a cluster that gives nothing back`,
      {
        hint: "give `rpc` or `gateway` in its options: the IPFS nodes behind it can be read",
      },
    );
  }
}

/** The greater number of peers: -1 is all of them, 0 what the cluster is set to. */
function morePeers(one: number, other: number): number {
  return one < 0 || other < 0 ? -1 : Math.max(one, other);
}
