import type { Delivered } from "#jobs/deliver.ts";
import type { ObjectRef } from "#model/copy.ts";
import {
  type Driver,
  type GroupCopy,
  groupBytesMax,
  groupObjectsMax,
  groupObjectsMin,
  type ObjectGroups,
} from "#model/driver.ts";
import { groupsWith } from "#model/groups-with.ts";
import { singlePieceMax } from "#model/single-piece.ts";

/** So many are being stored while the next is gathered. */
const groupsAtOnce = 3;
/** Bytes of files that wait, equal ones too, from which on no more are read. */
const waitingBytesMax = 8 * groupBytesMax;
/** So long nothing goes by groups after the backend took nothing of one. */
const pauseMs = 5_000;
/** What was read does not wait longer than this for others to go with. */
const gatheredForMs = 500;

/**
 * Gathers small files that an import has read, to store them in groups where the backend takes
 * groups: forcing files to disk costs most of what an import of small ones takes, and for several at
 * once far less than for each alone. Whatever something stands in the way of is left to be stored alone,
 * which says what that is.
 */
export class ImportGroups {
  readonly #driver: Driver;
  readonly #signal: AbortSignal;
  readonly #now: () => number;
  #gathered: Waiting[] = [];
  #gatheredBytes = 0;
  #gatheringSince = 0;
  /** Content on its way, so that equal files do not meet each other at the backend. */
  readonly #underWay = new Map<string, Promise<Delivered | undefined>>();
  #storing = 0;
  /** A backend that takes nothing of a group is out or full: no other goes better until then. */
  #pausedUntil = -Infinity;
  #waiting = 0;
  #waitingBytes = 0;

  /** `now` in milliseconds. */
  constructor(driver: Driver, signal: AbortSignal, now: () => number) {
    this.#driver = driver;
    this.#signal = signal;
    this.#now = now;
  }

  /** Files that are gathered or being stored in a group. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Whether more may be read: their bytes are in memory from then on. */
  get hasRoom(): boolean {
    return this.#storing < groupsAtOnce && this.#waitingBytes < waitingBytesMax;
  }

  /** Stores a file together with others; undefined where it has to be stored alone. */
  async store(object: ObjectRef, bytes: Uint8Array): Promise<Delivered | undefined> {
    if (bytes.length > singlePieceMax || this.#groups === undefined) return undefined;
    this.#waiting += 1;
    this.#waitingBytes += bytes.length;
    try {
      const same = this.#underWay.get(object.cid);
      const storing = same ?? this.#gather(object, bytes);
      // What is gathered may be what all others wait for, and nothing more is read meanwhile.
      if (this.#waitingBytes >= waitingBytesMax) this.flush();
      const delivered = await storing;
      return same === undefined ? delivered : delivered && { ...delivered, moved: false };
    } finally {
      this.#waiting -= 1;
      this.#waitingBytes -= bytes.length;
    }
  }

  /** Stores what has waited for long enough. */
  flushOld(): void {
    const isOld = this.#now() - this.#gatheringSince >= gatheredForMs;
    if (this.#gathered.length > 0 && isOld) this.flush();
  }

  /** Stores what is gathered: no others come soon. */
  flush(): void {
    const group = this.#gathered;
    if (group.length === 0) return;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    void this.#end(group);
  }

  /** Undefined while groups do not go. */
  get #groups(): ObjectGroups | undefined {
    return this.#now() < this.#pausedUntil ? undefined : groupsWith(this.#driver);
  }

  async #gather(object: ObjectRef, bytes: Uint8Array): Promise<Delivered | undefined> {
    if (this.#gatheredBytes + bytes.length > groupBytesMax) this.flush();
    if (this.#gathered.length === 0) this.#gatheringSince = this.#now();
    const { promise, resolve } = Promise.withResolvers<Delivered | undefined>();
    this.#gathered.push({ object, bytes, resolve });
    this.#gatheredBytes += bytes.length;
    this.#underWay.set(object.cid, promise);
    if (this.#gathered.length === groupObjectsMax) this.flush();
    return promise;
  }

  async #end(group: readonly Waiting[]): Promise<void> {
    this.#storing += 1;
    const stored = await this.#store(group);
    this.#storing -= 1;
    for (const [at, { object, resolve }] of group.entries()) {
      this.#underWay.delete(object.cid);
      resolve(stored[at]);
    }
  }

  async #store(group: readonly Waiting[]): Promise<readonly (GroupCopy | undefined)[]> {
    const groups = this.#groups;
    if (groups === undefined || group.length < groupObjectsMin) return [];
    try {
      const stored = await groups.storeGroup(
        group.map(({ object }) => object),
        group.map(({ bytes }) => bytes),
        { signal: this.#signal },
      );
      if (stored.every((copy) => copy === undefined)) this.#pause();
      return stored;
    } catch {
      // Whatever it was: each file meets it again alone, where it is told from others.
      this.#pause();
      return [];
    }
  }

  #pause(): void {
    this.#pausedUntil = this.#now() + pauseMs;
  }
}

/** A file that is gathered. */
interface Waiting {
  readonly object: ObjectRef;
  readonly bytes: Uint8Array;
  readonly resolve: (delivered: Delivered | undefined) => void;
}
