import { cancelled } from "#drivers/contract/cancelled.ts";
import { checkPermit } from "#drivers/contract/check-permit.ts";
import { discardBody } from "#drivers/contract/discard-body.ts";
import { verifyCopy } from "#drivers/contract/verify-copy.ts";
import type { Confidence, Evidence, ObjectRef, StoredCopy } from "#model/copy.ts";
import type {
  BackendStatus,
  ByteStream,
  CallOptions,
  Driver,
  DriverCapabilities,
  ListOptions,
  ListedCopy,
  RemoveOptions,
  VerifyOptions,
  WriteBody,
  WriteOptions,
} from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import type { RemovalPermit } from "#model/removal.ts";
import type { Faults } from "./faults.ts";
import {
  copyOf,
  type ModelBackend,
  type RemovalWatcher,
  type StoredThing,
} from "./model-backend.ts";
import type { Random } from "./random.ts";
import { contents, numberOf } from "./samples.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SimulatedNode } from "./simulated-node.ts";

const staleMaxMs = 20_000;

export const modelCapabilities: DriverCapabilities = {
  forms: ["file"],
  operations: ["read", "write", "remove", "list", "verify"],
  confidence: ["listed", "verified"],
  ranges: "none",
  create: "atomic",
  bytesMax: undefined,
};

/** A copy that must remain was looked at; a removal is asked for; a copy went. */
export type Moment = "checked" | "asking" | "removed";

/** What the drivers of a schedule share. */
export interface DriverWorld {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly faults: Faults;
  readonly watcher: RemovalWatcher;
  /** Whether a removal is two requests, with time in between. */
  readonly looksFirst?: boolean;
  /** Hears of moments at which it would be worst if something happened now. */
  readonly moment?: (what: Moment, node: SimulatedNode) => void;
}

/** A model backend behind the driver contract, as one node sees it. */
export class ModelDriver implements Driver {
  readonly kind = "model";
  readonly capabilities = modelCapabilities;
  readonly #backend: ModelBackend;
  readonly #node: SimulatedNode;
  readonly #world: DriverWorld;

  constructor(backend: ModelBackend, node: SimulatedNode, world: DriverWorld) {
    this.#backend = backend;
    this.#node = node;
    this.#world = world;
  }

  async status(options: CallOptions = {}): Promise<BackendStatus> {
    return this.#call("status", options, () => {
      const { capacityBytes, usedBytes } = this.#backend;
      const freeBytes = capacityBytes === undefined ? undefined : capacityBytes - usedBytes;
      return { server: "model", writable: true, usedBytes, freeBytes, totalBytes: capacityBytes };
    });
  }

  async stat(object: ObjectRef, options: CallOptions = {}): Promise<StoredCopy | undefined> {
    return (await this.#look(object, options)).copy;
  }

  async read(object: ObjectRef, _copy: StoredCopy, options: CallOptions = {}): Promise<ByteStream> {
    return (await this.#fetch(object, options)).stream;
  }

  async write(object: ObjectRef, body: WriteBody, options: WriteOptions = {}): Promise<StoredCopy> {
    const name = numberOf(object.cid);
    const existing = await this.#call(`begin to write ${name}`, options, () =>
      this.#backend.get(object.cid),
    );
    if (existing?.bytes.length === object.size && options.replace !== true) {
      await discardBody(body);
      return copyOf(existing);
    }
    const parts: Uint8Array[] = [];
    for await (const part of body.stream) parts.push(part);
    const bytes = new Uint8Array(Buffer.concat(parts));
    return this.#call(`write ${name}`, options, () => this.#store(object, bytes));
  }

  async verify(
    object: ObjectRef,
    level: Confidence,
    options: VerifyOptions = {},
  ): Promise<Evidence> {
    let truthful = true;
    let at = this.#world.scheduler.now;
    const reader = {
      kind: this.kind,
      stat: async (asked: ObjectRef, call: CallOptions = {}) => {
        const seen = await this.#look(asked, call);
        truthful &&= seen.truthful;
        at = seen.at;
        return seen.copy;
      },
      read: async (asked: ObjectRef, _copy: StoredCopy, call: CallOptions = {}) => {
        const fetched = await this.#fetch(asked, call);
        at = fetched.at;
        return fetched.stream;
      },
    };
    const backend = this.#backend.name;
    const evidence = await verifyCopy(reader, backend, object, level, options);
    const full = level === "verified";
    const present = evidence.finding === "present";
    const answer = { node: this.#node, backend, cid: object.cid, full, present, truthful, at };
    this.#world.watcher.checked(answer);
    this.#world.moment?.("checked", this.#node);
    return evidence;
  }

  async remove(
    object: ObjectRef,
    permit: RemovalPermit,
    options: RemoveOptions = {},
  ): Promise<"removed" | "absent"> {
    checkPermit(this.#backend.name, object, permit);
    this.#world.moment?.("asking", this.#node);
    if (this.#world.looksFirst === true && !(await this.#isThere(object, options))) return "absent";
    return this.#call(`remove ${numberOf(object.cid)} with ${permit.id}`, options, () => {
      const thing = this.#backend.get(object.cid);
      if (thing === undefined) return "absent";
      this.#world.watcher.removing(this.#backend.name, thing, permit, this.#node);
      this.#backend.take(object.cid);
      this.#world.moment?.("removed", this.#node);
      return "removed";
    });
  }

  /** As object stores do: one request looks, the next one takes away. */
  async #isThere(object: ObjectRef, options: RemoveOptions): Promise<boolean> {
    const what = `look before removing ${numberOf(object.cid)}`;
    const found = await this.#call(what, options, () => this.#backend.get(object.cid));
    if (found === undefined) return false;
    await options.confirm?.();
    this.#world.moment?.("asking", this.#node);
    return true;
  }

  async *list(options: ListOptions = {}): AsyncIterable<ListedCopy> {
    const things = await this.#call("list", options, () => this.#backend.things());
    for (const thing of things) {
      const { cid } = thing;
      yield { cid, copy: copyOf(thing), size: thing.bytes.length, cursor: cid };
    }
  }

  async close(): Promise<void> {
    await Promise.resolve();
  }

  /** Looks for a copy; an eventually consistent backend may answer from its past. */
  async #look(object: ObjectRef, options: CallOptions) {
    const { faults, random, scheduler } = this.#world;
    return this.#call(`look for ${numberOf(object.cid)}`, options, () => {
      const now = this.#backend.get(object.cid);
      const stale = faults.strikes("stale-answer");
      const ageMs = stale ? random.next() * staleMaxMs : 0;
      const seen = stale ? this.#backend.asOf(object.cid, scheduler.now - ageMs) : now;
      const truthful = (seen === undefined) === (now === undefined);
      return { copy: seen && copyOf(seen), truthful, at: scheduler.now };
    });
  }

  /** The bytes, and when the backend took them from its store. */
  async #fetch(object: ObjectRef, options: CallOptions) {
    const { faults, scheduler } = this.#world;
    const { thing, at } = await this.#call(`read ${numberOf(object.cid)}`, options, () => {
      return { thing: this.#backend.get(object.cid), at: scheduler.now };
    });
    if (thing === undefined) {
      throw new EngineError("NOT_FOUND", `${object.cid} is not on ${this.#backend.name}`);
    }
    const damaged = faults.strikes("wire-damage");
    return { at, stream: pieces(damaged ? thing.bytes.map((byte) => byte ^ 2) : thing.bytes) };
  }

  #store(object: ObjectRef, bytes: Uint8Array): StoredCopy {
    const { faults, scheduler, random } = this.#world;
    const { cid } = object;
    const { capacityBytes, usedBytes } = this.#backend;
    const thing: StoredThing = { cid, bytes, intact: isContent(cid, bytes) };
    if (capacityBytes !== undefined && usedBytes + bytes.length > capacityBytes) {
      throw new EngineError("NO_SPACE", `${this.#backend.name} is full`);
    }
    if (faults.strikes("lying-write", 4)) return copyOf(thing);
    this.#backend.put(thing);
    if (faults.strikes("torn-write", 4)) this.#backend.harm(cid, "rot");
    if (faults.strikes("lost-write", 4)) {
      scheduler.after(
        random.next() * 60_000,
        () => {
          scheduler.note(() => `${this.#backend.name} loses ${numberOf(cid)}`);
          this.#backend.harm(cid, "vanish");
        },
        null,
      );
    }
    return copyOf(thing);
  }

  #call<Result>(what: string, { signal }: CallOptions, effect: () => Result): Promise<Result> {
    const { scheduler, faults } = this.#world;
    const name = `${this.#backend.name}: ${what}`;
    const perform = () => {
      if (this.#backend.outUntil <= scheduler.now) return effect();
      throw new EngineError("UNAVAILABLE", `${this.#backend.name} is out`);
    };
    return scheduler.call(name, perform, {
      signal,
      fault: faults.ofDriver(what),
      stopped: (stopping) => cancelled(stopping, what),
    });
  }
}

async function* pieces(bytes: Uint8Array): ByteStream {
  const half = bytes.length >> 1;
  yield bytes.subarray(0, half);
  yield bytes.subarray(half);
}

function isContent(cid: string, bytes: Uint8Array): boolean {
  const content = contents[numberOf(cid)];
  return content !== undefined && Buffer.compare(content.bytes, bytes) === 0;
}
