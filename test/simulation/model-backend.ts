import type { StoredCopy } from "#model/copy.ts";
import type { RemovalPermit } from "#model/removal.ts";
import type { SimulatedNode } from "./simulated-node.ts";

/** Bytes that really lie somewhere. */
export interface StoredThing {
  readonly cid: string;
  readonly bytes: Uint8Array;
  readonly intact: boolean;
}

/** What a check told a node, and whether it was the truth. */
export interface CheckAnswer {
  readonly node: SimulatedNode;
  readonly backend: string;
  readonly cid: string;
  readonly full: boolean;
  readonly present: boolean;
  readonly truthful: boolean;
  readonly at: number;
}

export interface RemovalWatcher {
  /** A copy is about to go, for real, by a call that carried this permit. */
  removing(backend: string, thing: StoredThing, permit: RemovalPermit, by: SimulatedNode): void;
  checked(answer: CheckAnswer): void;
}

/** The truth about one backend: what it holds, what it held, and what befell it. */
export class ModelBackend {
  readonly name: string;
  /** Bytes that it takes at most; somebody may make room. */
  capacityBytes: number | undefined;
  outUntil = 0;
  readonly #things: Map<string, StoredThing>;
  readonly #history: Map<string, { readonly at: number; readonly thing?: StoredThing }[]>;
  /** When a copy was last damaged or lost by something that is not the engine's doing. */
  readonly #damaged: Map<string, number>;
  readonly #now: () => number;

  /** `storage`: the backend of which this is another name. */
  constructor(
    name: string,
    capacityBytes: number | undefined,
    now: () => number,
    storage?: ModelBackend,
  ) {
    this.name = name;
    this.capacityBytes = capacityBytes;
    this.#now = now;
    this.#things = storage === undefined ? new Map() : storage.#things;
    this.#history = storage === undefined ? new Map() : storage.#history;
    this.#damaged = storage === undefined ? new Map() : storage.#damaged;
  }

  /** Whether they are the same, or two names of one storage. */
  isStorageOf(other: ModelBackend): boolean {
    return this.#things === other.#things;
  }

  get(cid: string): StoredThing | undefined {
    return this.#things.get(cid);
  }

  things(): readonly StoredThing[] {
    return [...this.#things.values()].toSorted((a, b) => (a.cid < b.cid ? -1 : 1));
  }

  get usedBytes(): number {
    return this.things().reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  put(thing: StoredThing): void {
    this.#things.set(thing.cid, thing);
    this.#remember(thing.cid, thing);
  }

  take(cid: string): void {
    this.#things.delete(cid);
    this.#remember(cid, undefined);
  }

  /** Damage from outside: other bytes of the same length (also the second time), or none. */
  harm(cid: string, how: "rot" | "vanish"): void {
    const thing = this.#things.get(cid);
    if (thing === undefined) return;
    this.#damaged.set(cid, this.#now());
    if (how === "vanish") this.take(cid);
    else this.put({ cid, bytes: thing.bytes.map((byte) => byte + 1), intact: false });
  }

  /** When the copy was last harmed; long ago when never. */
  harmedAt(cid: string): number {
    return this.#damaged.get(cid) ?? Number.NEGATIVE_INFINITY;
  }

  /** What it held at an earlier moment. */
  asOf(cid: string, at: number): StoredThing | undefined {
    return this.#history.get(cid)?.findLast((entry) => entry.at <= at)?.thing;
  }

  /** Whether there was a moment since then at which it held nothing. */
  wasAbsentSince(cid: string, since: number): boolean {
    if (this.get(cid) === undefined || this.asOf(cid, since) === undefined) return true;
    const entries = this.#history.get(cid) ?? [];
    return entries.some(({ at, thing }) => at >= since && thing === undefined);
  }

  writtenAfter(cid: string, at: number): boolean {
    const entries = this.#history.get(cid) ?? [];
    return entries.some((entry) => entry.at >= at && entry.thing !== undefined);
  }

  #remember(cid: string, thing: StoredThing | undefined): void {
    const entries = this.#history.get(cid) ?? [];
    entries.push({ at: this.#now(), ...(thing === undefined ? {} : { thing }) });
    this.#history.set(cid, entries);
  }
}

/** How a thing is found again. */
export function copyOf(thing: StoredThing): StoredCopy {
  return { locator: thing.cid, form: "file", bytes: thing.bytes.length };
}
