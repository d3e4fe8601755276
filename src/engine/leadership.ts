import { randomUUID } from "node:crypto";
import type { Config } from "#config.ts";
import { dataIdentity } from "#engine/data-identity.ts";
import { openStore } from "#engine/open-store.ts";
import { takeTurn, type Turn } from "#engine/take-turn.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import { permitMarginMs } from "#index/runs/permit-store.ts";
import type { Term } from "#index/terms.ts";
import type { DispatchLeadership } from "#jobs/dispatcher.ts";
import type { HeldLease } from "#jobs/lease/held-lease.ts";
import type { LeaseHolder, LeaseRecord } from "#jobs/lease/lease-store.ts";
import type { QueueStore } from "#jobs/queue-store.ts";
import { EngineError } from "#model/engine-error.ts";
import type { WriteFence } from "#model/write-fence.ts";

export interface LeadershipOptions {
  readonly config: Config;
  resolveReference(text: string): Promise<string>;
  readonly now: () => Date;
  readonly onError: (error: EngineError) => void;
}

/** How a process waits for its turn. */
export interface Patience {
  readonly waitMs: number;
  readonly signal?: AbortSignal;
  readonly onWaiting?: (line: string) => void;
}

/** A command waits for its turn behind another command, not behind a controller. */
export const commandWaitMs = 15_000;

/**
 * The right of this process to be the controller: its lease, its term in the index, and the
 * fence that every write of the index passes. Held at most once in an installation.
 */
export class Leadership implements WriteFence {
  readonly #options: LeadershipOptions;
  readonly #holder: LeaseHolder;
  readonly #lost = new AbortController();
  #store: Promise<QueueStore> | undefined;
  #lease: HeldLease | undefined;
  #term: Term | undefined;
  #obtaining: Promise<void> | undefined;

  private constructor(options: LeadershipOptions, holder: LeaseHolder) {
    this.#options = options;
    this.#holder = holder;
  }

  static async prepare(options: LeadershipOptions): Promise<Leadership> {
    const { config } = options;
    return new Leadership(options, {
      id: randomUUID(),
      node: config.node.name,
      pid: process.pid,
      index: await dataIdentity(config.dataDirectory),
    });
  }

  /** The epoch of the lease; 0 while this process does not lead. */
  get epoch(): number {
    return this.#lease?.epoch ?? 0;
  }

  get term(): Term | undefined {
    return this.#term;
  }

  /** Aborted, with a LOCKED error, once another controller has taken over. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** What the dispatcher must know; only while this process leads. */
  get dispatch(): DispatchLeadership {
    const term = this.#term;
    if (term === undefined) throw new EngineError("INTERNAL", "this process does not lead");
    return { epoch: term.epoch, permitsFrom: term.permitsFrom, lost: this.lost };
  }

  /** The queue store, opened once. */
  store(): Promise<QueueStore> {
    this.#store ??= openStore(this.#options);
    return this.#store;
  }

  /** Who waits to take over. */
  async standbys(): Promise<readonly LeaseHolder[]> {
    return this.#store === undefined ? [] : (await this.#store).lease().waiting();
  }

  /** Waits for the turn of this process and opens the index with it. */
  async await(patience: Patience, openIndex: () => Promise<ObjectIndex>): Promise<ObjectIndex> {
    const { onError } = this.#options;
    const turn = await takeTurn({
      leases: (await this.store()).lease(),
      holder: this.#holder,
      openIndex,
      closeIndex: (index) => index.close(),
      waitMs: patience.waitMs,
      signal: patience.signal,
      onWaiting: patience.onWaiting ?? (() => undefined),
      onError,
    });
    await this.#begin(turn);
    return turn.index;
  }

  /** Leads from here on with an index that is open already; LOCKED while another one leads. */
  async obtain(index: ObjectIndex): Promise<void> {
    this.#obtaining ??= this.#obtain(index).catch((error: unknown) => {
      this.#obtaining = undefined;
      throw error;
    });
    await this.#obtaining;
  }

  async enter(): Promise<void> {
    await this.confirm();
  }

  /** Without a lease, the lock of the index file is what keeps others from writing. */
  async confirm(): Promise<void> {
    await this.#lease?.confirm();
  }

  /** Lets the next controller take over at once. */
  async close(): Promise<void> {
    await this.#obtaining?.catch(() => undefined);
    await this.#lease?.release();
    await (await this.#store?.catch(() => undefined))?.close();
  }

  async #obtain(index: ObjectIndex): Promise<void> {
    if (this.#lease !== undefined) return;
    const turn = await takeTurn({
      leases: (await this.store()).lease(),
      holder: this.#holder,
      openIndex: () => Promise.resolve(index),
      closeIndex: () => Promise.resolve(),
      waitMs: commandWaitMs,
      signal: undefined,
      onWaiting: () => undefined,
      onError: this.#options.onError,
    });
    await this.#begin(turn);
  }

  async #begin({ lease, index, before }: Turn): Promise<void> {
    const { config, now } = this.#options;
    this.#lease = lease;
    const last = await index.terms.latest();
    // A store that lost its record counts anew: the index knows better.
    if (last !== undefined && last.epoch >= lease.epoch) await lease.raise(last.epoch);
    lease.lost.addEventListener("abort", () => {
      this.#lost.abort(lease.lost.reason);
    });
    const complete = this.#knowsAll(before, last);
    const { permitTtlMs } = config.safety;
    this.#term = {
      epoch: lease.epoch,
      node: this.#holder.node,
      began: now(),
      permitTtlMs,
      permitsFrom: permitsFrom(last, complete, permitTtlMs, now()),
      complete,
    };
    await index.terms.begin(this.#term);
  }

  /** Whether the index holds everything that controllers before this one wrote. */
  #knowsAll(before: LeaseRecord, last: Term | undefined): boolean {
    // The embedded queue lies in the data directory: nobody with another index was ever there.
    if (this.#options.config.queue.url === "embedded") return true;
    const known = last?.epoch ?? 0;
    if (before.epoch <= known) return true;
    return before.holder?.index === this.#holder.index && before.epoch === known + 1;
  }
}

/** The moment from which on no permit can be in use that the index does not know. */
function permitsFrom(
  last: Term | undefined,
  complete: boolean,
  permitTtlMs: number,
  now: Date,
): Date {
  const earlier = last?.permitsFrom.getTime() ?? 0;
  if (complete) return new Date(earlier);
  const longest = Math.max(last?.permitTtlMs ?? 0, permitTtlMs);
  return new Date(Math.max(earlier, now.getTime() + longest + permitMarginMs));
}
