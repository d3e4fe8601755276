import type { Confidence, Evidence, ObjectRef, StoredCopy } from "#model/copy.ts";
import type {
  BackendStatus,
  BackendTrouble,
  ByteStream,
  CallOptions,
  Driver,
  DriverCapabilities,
  DriverContext,
  ListedCopy,
  ListOptions,
  ReadOptions,
  RemoveOptions,
  StorageIdentity,
  WriteBody,
  WriteOptions,
} from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import type { RemovalPermit } from "#model/removal.ts";
import { askedTrouble } from "#drivers/contract/asked-trouble.ts";
import { throwIfCancelled } from "#drivers/contract/cancelled.ts";
import type { Reservation } from "#drivers/contract/capacity.ts";
import { CountedCapacity } from "#drivers/contract/counted-capacity.ts";
import { checkPermit } from "#drivers/contract/check-permit.ts";
import { checkedCar } from "#drivers/contract/checked-car.ts";
import { discardBody } from "#drivers/contract/discard-body.ts";
import { expectedBytes } from "#drivers/contract/expect-bytes.ts";
import type { GatewayReader } from "#drivers/contract/gateway-reader.ts";
import { stopOnAbort } from "#drivers/contract/stop-on-abort.ts";
import { bytesOfRequests, hasMeta, listRequests } from "#drivers/pinning-service/list-requests.ts";
import {
  byNewest,
  bytesKey,
  isFor,
  type PinRequest,
  requestCopy,
} from "#drivers/pinning-service/pin-request.ts";
import { pinningCapabilitiesOf } from "#drivers/pinning-service/pinning-capabilities.ts";
import type { PinningClient } from "#drivers/pinning-service/pinning-client.ts";
import { pinningIdentity } from "#drivers/pinning-service/pinning-identity.ts";
import type { PinningOptions } from "#drivers/pinning-service/pinning-options.ts";
import type { SourceNode } from "#drivers/pinning-service/source-node.ts";
import { verifyRequest } from "#drivers/pinning-service/verify-request.ts";
import { waitUntilPinned } from "#drivers/pinning-service/wait-until-pinned.ts";

/** As many as the specification lets a pin have. */
const originsMax = 20;

export interface PinningParts {
  readonly client: PinningClient;
  /** From where the service fetches; without it, from wherever the IPFS network has it. */
  readonly node: SourceNode | undefined;
  readonly gateway: GatewayReader | undefined;
}

/** Copies as pins of a service that speaks the IPFS Pinning Service API: the newest of a CID. */
export class PinningDriver implements Driver {
  readonly kind = "pinning-service";
  readonly capabilities: DriverCapabilities;
  /** The account, whatever `meta` tells its pins apart: a service keeps content once. */
  readonly identity: StorageIdentity;
  readonly #backend: string;
  readonly #options: PinningOptions;
  readonly #parts: PinningParts;
  readonly #capacity: CountedCapacity;

  constructor(context: DriverContext<PinningOptions>, parts: PinningParts) {
    this.#backend = context.backend;
    this.#options = context.options;
    this.capabilities = pinningCapabilitiesOf(context.options);
    this.#parts = parts;
    this.identity = pinningIdentity(context);
    const { backend, capacityBytes } = context;
    this.#capacity = new CountedCapacity(backend, capacityBytes, () =>
      bytesOfRequests(this.list()),
    );
  }

  async status(options: CallOptions = {}): Promise<BackendStatus> {
    const { meta, url } = this.#options;
    const page = await this.#parts.client.page({ states: ["pinned"], limit: 1, meta }, options);
    await this.#capacity.count(options.signal);
    const { usedBytes, freeBytes, totalBytes, isLimited } = this.#capacity;
    return {
      server: `IPFS Pinning Service API at ${new URL(url).host}, ${page.count} pins`,
      // Whether the token may pin is seen only by pinning.
      writable: true,
      usedBytes: isLimited ? usedBytes : undefined,
      freeBytes,
      totalBytes,
    };
  }

  async troubles(options: CallOptions = {}): Promise<readonly BackendTrouble[]> {
    const { node, gateway } = this.#parts;
    const check = "check `node` and `nodeAuthorization` of this backend";
    return [
      ...(await askedTrouble(async () => node?.addresses(options), check)),
      ...(await askedTrouble(async () => gateway?.probe(options))),
    ];
  }

  async stat(object: ObjectRef, options: CallOptions = {}): Promise<StoredCopy | undefined> {
    const request = (await this.#requests(object, options)).find(isPinned);
    return request === undefined ? undefined : requestCopy(request);
  }

  async read(object: ObjectRef, _copy: StoredCopy, options: ReadOptions = {}): Promise<ByteStream> {
    const doing = `reading ${object.cid} from ${this.#backend}`;
    throwIfCancelled(options.signal, doing);
    const { gateway } = this.#parts;
    if (gateway === undefined) {
      throw new EngineError("NOT_SUPPORTED", `${this.#backend} tells of pins and gives none back`, {
        hint: "give `gateway` in its options: a trustless gateway of the service can be read",
      });
    }
    if ((await this.stat(object, options)) === undefined) {
      throw new EngineError("NOT_FOUND", `${object.cid} is not pinned on ${this.#backend}`);
    }
    const stream = await gateway.open(object.cid, options);
    return stopOnAbort(stream, options.signal, doing);
  }

  async write(object: ObjectRef, body: WriteBody, options: WriteOptions = {}): Promise<StoredCopy> {
    const doing = `writing ${object.cid} to ${this.#backend}`;
    throwIfCancelled(options.signal, doing);
    expectedBytes(object, body, this.capabilities);
    const [known] = await this.#requests(object, options);
    if (known?.status === "pinned" && options.replace !== true) {
      await discardBody(body);
      // It may have been pinned after the last try gave up waiting for it.
      await this.#parts.node?.takeBack(object.cid, options);
      return requestCopy(known);
    }
    if (object.size === 0) throw this.#nothingToFetch(object);
    await this.#capacity.count(options.signal);
    // What is under way already has its content or knows where it is.
    const isUnderWay = known?.status === "queued" || known?.status === "pinning";
    using reservation = this.#capacity.reserve(isUnderWay ? 0 : object.size);
    const stream = stopOnAbort(body.stream, options.signal, doing);
    const request = isUnderWay
      ? await this.#goOn(object, known, stream, options)
      : await this.#ask(object, stream, { ...options, reservation, known });
    await this.#parts.node?.connect(request.delegates, options);
    const { client, node } = this.#parts;
    const { pinTimeout: timeoutMs } = this.#options;
    const wait = { backend: this.#backend, timeoutMs, signal: options.signal };
    const pinned = requestCopy(await waitUntilPinned(client, request, wait));
    await node?.takeBack(object.cid, options);
    return pinned;
  }

  verify(object: ObjectRef, level: Confidence, options: CallOptions = {}): Promise<Evidence> {
    const { capabilities } = this;
    const requests = () => this.#requests(object, options);
    const place = { backend: this.#backend, capabilities, gateway: this.#parts.gateway, requests };
    return verifyRequest(place, object, level, options);
  }

  /** Deletes every request for the content, pinned or not: one left over would pin it again. */
  async remove(
    object: ObjectRef,
    permit: RemovalPermit,
    options: RemoveOptions = {},
  ): Promise<"removed" | "absent"> {
    checkPermit(this.#backend, object, permit);
    let removed = false;
    for (const request of await this.#requests(object, options)) {
      await options.confirm?.();
      const outcome = await this.#parts.client.remove(request.requestid, options);
      if (outcome === "absent") continue;
      removed = true;
      if (isPinned(request)) this.#capacity.add(-requestCopy(request).bytes);
    }
    return removed ? "removed" : "absent";
  }

  list(options: ListOptions = {}): AsyncIterable<ListedCopy> {
    const place = { backend: this.#backend, meta: this.#options.meta };
    return listRequests(this.#parts.client, place, options);
  }

  close(): Promise<void> {
    const { client, node, gateway } = this.#parts;
    client.close();
    node?.close();
    gateway?.close();
    return Promise.resolve();
  }

  /** Sees to it that what the service was asked for can still be fetched. */
  async #goOn(
    object: ObjectRef,
    known: PinRequest,
    stream: ByteStream,
    options: WriteOptions,
  ): Promise<PinRequest> {
    const { node } = this.#parts;
    const { cid } = object;
    const isThere =
      node === undefined || (await node.lends(cid, options)) || (await node.keeps(cid, options));
    if (isThere) await stream[Symbol.asyncIterator]().return?.();
    else await node.lend(cid, checkedCar(stream, object, { onBytes: () => undefined }), options);
    return known;
  }

  /** Sees to it that the service can fetch the content, and asks it to. */
  async #ask(
    object: ObjectRef,
    stream: ByteStream,
    options: WriteOptions & {
      readonly reservation: Reservation;
      readonly known: PinRequest | undefined;
    },
  ): Promise<PinRequest> {
    const { client, node } = this.#parts;
    const { known, reservation } = options;
    let bytes = object.size;
    if (node === undefined || (await node.keeps(object.cid, options))) {
      await stream[Symbol.asyncIterator]().return?.();
    } else {
      const onBytes = (total: number): void => {
        bytes = total;
        reservation.cover(total);
      };
      await node.lend(object.cid, checkedCar(stream, object, { onBytes }), options);
    }
    const own = (await node?.addresses(options)) ?? [];
    const { name = object.cid, meta, origins } = this.#options;
    const pin = {
      cid: object.cid,
      name,
      origins: [...new Set([...origins, ...own])].slice(0, originsMax),
      meta: { ...meta, [bytesKey]: String(bytes) },
    };
    const request =
      known === undefined
        ? await client.add(pin, options)
        : await client.replace(known.requestid, pin, options);
    this.#capacity.add(
      bytes - (known !== undefined && isPinned(known) ? requestCopy(known).bytes : 0),
    );
    return request;
  }

  /** Our requests for a content, the newest first, but those that are pinned before all others. */
  async #requests({ cid }: ObjectRef, options: CallOptions): Promise<readonly PinRequest[]> {
    const { meta } = this.#options;
    const { results } = await this.#parts.client.page({ cids: [cid], meta }, options);
    return results
      .filter((request) => isFor(request, cid) && hasMeta(request, meta))
      .toSorted((a, b) => Number(isPinned(b)) - Number(isPinned(a)) || byNewest(a, b));
  }

  /** IPFS nodes take a block of no bytes for one that they lack: nobody would ever fetch it. */
  #nothingToFetch({ cid }: ObjectRef): EngineError {
    const message = `${this.#backend} cannot fetch ${cid}: it has no bytes`;
    return new EngineError("NOT_SUPPORTED", message, {
      hint: "keep empty files on other backends: `where: size > 0` in the rule",
    });
  }
}

function isPinned({ status }: PinRequest): boolean {
  return status === "pinned";
}
