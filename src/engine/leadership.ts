import { randomUUID } from "node:crypto";
import { beginTerm } from "#engine/begin-term.ts";
import { dataIdentity } from "#engine/data-identity.ts";
import { IndexWitness, writeTerm } from "#engine/index-witness.ts";
import { PublishedIndexes } from "#engine/published-indexes.ts";
import { openStore, type StoreOptions } from "#engine/open-store.ts";
import { refuseForeignQueue } from "#engine/queue-owner.ts";
import { SnapshotPublisher } from "#engine/snapshot-publisher.ts";
import { takeTurn, type Turn } from "#engine/take-turn.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import type { Term } from "#index/terms.ts";
import type { DispatchLeadership } from "#jobs/dispatcher.ts";
import type { HeldLease } from "#jobs/lease/held-lease.ts";
import type { LeaseHolder } from "#jobs/lease/lease-store.ts";
import type { QueueStore } from "#jobs/queue-store.ts";
import { EngineError } from "#model/engine-error.ts";
import type { LeaderState } from "#model/leader-state.ts";
import type { WriteFence } from "#model/write-fence.ts";

export interface LeadershipOptions extends StoreOptions {
  readonly now: () => Date;
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
  #patience: Patience | undefined;
  #lease: HeldLease | undefined;
  #term: Term | undefined;
  #obtaining: Promise<void> | undefined;
  #index: ObjectIndex | undefined;
  #publisher: SnapshotPublisher | undefined;
  #witness: IndexWitness | undefined;
  #sealed = false;
  /** Until when no permit is issued, by a clock that nobody sets. */
  #heldUntilMs = 0;
  /** How far the clock went forward the last time, where they are held for that. */
  #stepMs: number | undefined;

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
    return {
      epoch: term.epoch,
      permitsFrom: term.permitsFrom,
      lost: this.lost,
      clockStepped: (stepMs, holdMs) => {
        this.#clockStepped(stepMs, holdMs);
      },
    };
  }

  /** The queue store, opened once. */
  store(): Promise<QueueStore> {
    this.#store ??= openStore(this.#options, this.#patience?.signal);
    return this.#store;
  }

  /** Undefined while this process does not lead. */
  async state(): Promise<LeaderState | undefined> {
    const term = this.#term;
    if (term === undefined || this.lost.aborted) return undefined;
    const waiting = await (await this.store()).lease().waiting();
    const heldMs = this.#heldUntilMs - performance.now();
    const from = new Date(this.#options.now().getTime() + heldMs).toISOString();
    return {
      node: term.node,
      pid: process.pid,
      epoch: term.epoch,
      since: term.began.toISOString(),
      standbys: waiting.map(({ node, pid }) => ({ node, pid })),
      removalsFrom: heldMs > 0 ? from : undefined,
      clockStepMs: heldMs > 0 ? this.#stepMs : undefined,
      published: this.#publisher?.state,
    };
  }

  /** Whoever leads next, perhaps at once, does not see the step: the index tells it. */
  #clockStepped(stepMs: number, holdMs: number): void {
    this.#stepMs = stepMs;
    this.#heldUntilMs = Math.max(this.#heldUntilMs, performance.now() + holdMs);
    const { config, now, onError } = this.#options;
    const until = new Date(now().getTime() + holdMs);
    this.#index?.terms.holdPermits(until, config.safety.permitTtlMs).catch((error: unknown) => {
      onError(EngineError.from(error));
    });
  }

  /** Waits for the turn of this process and opens the index with it. */
  async await(patience: Patience, openIndex: () => Promise<ObjectIndex>): Promise<ObjectIndex> {
    const { onError } = this.#options;
    this.#patience = patience;
    await this.#checkOwnerFirst(openIndex);
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
    this.#index = await this.#begin(turn, openIndex);
    return this.#index;
  }

  /** Leads from here on with an index that is open already; LOCKED while another one leads. */
  async obtain(index: ObjectIndex): Promise<void> {
    this.#obtaining ??= this.#obtain(index).catch((error: unknown) => {
      this.#obtaining = undefined;
      throw error;
    });
    await this.#obtaining;
  }

  /** The index that this process has open without leading yet. */
  use(index: ObjectIndex): void {
    this.#index ??= index;
  }

  /** Where controllers have indexes of their own, even a command leads before it writes. */
  async enter(): Promise<void> {
    const shared = this.#options.config.standby.directory !== undefined;
    if (shared && this.#lease === undefined && this.#index !== undefined) {
      await this.obtain(this.#index);
    }
    await this.confirm();
  }

  async confirmLease(): Promise<void> {
    await this.#lease?.confirm();
  }

  /** Without a lease, the lock of the index file is what keeps others from writing. */
  async confirm(): Promise<void> {
    if (this.#sealed) {
      throw new EngineError("CANCELLED", "this controller is ending: nothing is written any more");
    }
    await this.confirmLease();
  }

  /** Ends all writing, and publishes what there is as the last word of this term. */
  async seal(): Promise<void> {
    await this.#obtaining?.catch(() => undefined);
    this.#sealed = true;
    await this.#index?.terms.settled();
    await this.#witness?.close();
    await this.#publisher?.close();
  }

  /** Lets the next controller take over at once. */
  async close(): Promise<void> {
    await this.#obtaining?.catch(() => undefined);
    await this.#witness?.close();
    await this.#lease?.release();
    await (await this.#store?.catch(() => undefined))?.close();
  }

  async #obtain(index: ObjectIndex): Promise<void> {
    if (this.#lease !== undefined) return;
    await this.#checkOwner(index);
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

  /** Whoever may not have these queues leaves the lease, and what it says, as they are. */
  async #checkOwnerFirst(openIndex: () => Promise<ObjectIndex>): Promise<void> {
    const owner = await this.#ownerToCompare();
    if (owner === undefined) return;
    const index = await openIndex().catch((error: unknown) => {
      if (EngineError.from(error).code !== "LOCKED") throw error;
      return undefined;
    });
    if (index === undefined) return;
    try {
      refuseForeignQueue(this.#options.config, owner, await index.terms.installation());
    } finally {
      await index.close();
    }
  }

  async #checkOwner(index: ObjectIndex): Promise<void> {
    const owner = await this.#ownerToCompare();
    if (owner === undefined) return;
    refuseForeignQueue(this.#options.config, owner, await index.terms.installation());
  }

  /** A standby gets the index that belongs to the queues only when it is its turn. */
  async #ownerToCompare(): Promise<string | undefined> {
    const { queue, standby } = this.#options.config;
    if (queue.url === "embedded" || standby.directory !== undefined) return undefined;
    // A store that is away is waited for later.
    return await (
      await this.store()
    )
      .lease()
      .owner()
      .catch(() => undefined);
  }

  /** The queues belong to the installation whose index was the first to lead here. */
  async #claimQueue(index: ObjectIndex): Promise<void> {
    const { config } = this.#options;
    if (config.queue.url === "embedded") return;
    const own = await index.terms.installation();
    const owner = await (await this.store()).lease().claim(own);
    try {
      refuseForeignQueue(config, owner, own);
    } catch (error) {
      if (this.#index !== index) await index.close();
      throw error;
    }
  }

  /** Whoever cannot begin its term has no lease either: with one, it would write without a term. */
  async #begin(turn: Turn, reopen?: () => Promise<ObjectIndex>): Promise<ObjectIndex> {
    try {
      return await this.#beginWith(turn, reopen);
    } catch (error) {
      this.#term = undefined;
      await this.#witness?.close();
      this.#witness = undefined;
      this.#lease = undefined;
      await turn.lease.release();
      throw error;
    }
  }

  async #beginWith(turn: Turn, reopen?: () => Promise<ObjectIndex>): Promise<ObjectIndex> {
    const { config, now, onError } = this.#options;
    const { lease } = turn;
    this.#lease = lease;
    lease.lost.addEventListener("abort", () => {
      this.#lost.abort(lease.lost.reason);
    });
    const { directory, everyMs, keep } = config.standby;
    const snapshots = directory === undefined ? undefined : new PublishedIndexes(directory, keep);
    const holder = this.#holder;
    const options = { config, holder, snapshots, reopen, now, onError };
    const { index, term } = await beginTerm(turn, options);
    await this.#claimQueue(index);
    this.#term = term;
    this.#heldUntilMs = performance.now() + term.permitsFrom.getTime() - now().getTime();
    await writeTerm(term, { terms: index.terms, lease, directory: holder.index });
    this.#witness = new IndexWitness(
      { terms: index.terms, lease, directory: holder.index },
      onError,
    );
    if (snapshots === undefined) return index;
    const { node } = holder;
    this.#publisher = await SnapshotPublisher.start({
      snapshots,
      index,
      node,
      everyMs,
      now,
      onError,
      leadership: this,
    });
    return index;
  }
}
