import { setTimeout as sleep } from "node:timers/promises";
import type { ObjectIndex } from "#index/object-index.ts";
import { HeldLease } from "#jobs/lease/held-lease.ts";
import type { LeaseHolder, LeaseRecord, LeaseStore } from "#jobs/lease/lease-store.ts";
import { leaseTiming } from "#jobs/lease/lease-timing.ts";
import { EngineError } from "#model/engine-error.ts";

export interface TurnOptions {
  readonly leases: LeaseStore;
  readonly holder: LeaseHolder;
  /** Opens the index of this data directory; LOCKED when another process has it. */
  readonly openIndex: () => Promise<ObjectIndex>;
  /** Lets go of an index that was opened in vain. */
  readonly closeIndex: (index: ObjectIndex) => Promise<void>;
  /** Gives up after so long with LOCKED; a standby waits for ever. */
  readonly waitMs: number;
  /** Ends the waiting. */
  readonly signal: AbortSignal | undefined;
  /** Hears once for whom or what this process waits. */
  readonly onWaiting: (line: string) => void;
  readonly onError: (error: EngineError) => void;
}

/** The lease and the index, both held; and how the lease stood before. */
export interface Turn {
  readonly lease: HeldLease;
  readonly index: ObjectIndex;
  readonly before: LeaseRecord;
}

/**
 * Waits until this process may be the active controller: the lease is its own and the index is
 * open. The lock of an index proves more than the time of a lease: who gets it knows that the
 * holder who worked on this very directory is dead, and need not wait for the lease to run out.
 */
export async function takeTurn(options: TurnOptions): Promise<Turn> {
  const { leases, holder, signal } = options;
  const begun = performance.now();
  let said: string | undefined;
  try {
    for (;;) {
      if (signal?.aborted === true) {
        throw new EngineError("CANCELLED", "stopped while waiting as standby");
      }
      const answer = await tryTurn(options).catch((error: unknown) => {
        const { code } = EngineError.from(error);
        if (code !== "UNAVAILABLE") throw error;
        // The queue's server is away, as it may be for the active controller.
        options.onError(EngineError.from(error));
        return "the queue does not answer";
      });
      if (typeof answer !== "string") return answer;
      if (performance.now() - begun > options.waitMs) throw lockedBy(answer);
      if (answer !== said) options.onWaiting(`waiting as standby: ${answer}`);
      said = answer;
      await leases.announce(holder, announcedForMs).catch(() => undefined);
      await sleep(leaseTiming.pollEveryMs, undefined, signal ? { signal } : {}).catch(
        () => undefined,
      );
    }
  } finally {
    if (said !== undefined) await leases.withdraw(holder).catch(() => undefined);
  }
}

/** A standby that says nothing for so long is forgotten. */
const announcedForMs = 5_000;

/** The turn, or in words why it is not there yet. */
async function tryTurn(options: TurnOptions): Promise<Turn | string> {
  const { leases, holder, onError } = options;
  const before = await leases.read();
  const sameIndex = before.holder?.index === holder.index;
  const take = (takeFrom?: number) =>
    HeldLease.take({ store: leases, holder, onError }, takeFrom === undefined ? {} : { takeFrom });
  if (before.remainingMs > 0) {
    const index = sameIndex ? await openUnlessLocked(options) : undefined;
    if (index === undefined) return activeElsewhere(before);
    const lease = await take(before.epoch).catch(async (error: unknown) => {
      await options.closeIndex(index);
      throw error;
    });
    if (lease !== undefined) return { lease, index, before };
    await options.closeIndex(index);
    return activeElsewhere(before);
  }
  const lease = await take();
  if (lease === undefined) return activeElsewhere(before);
  const index = await openWhileHeld(lease, options).catch(async (error: unknown) => {
    await lease.release();
    throw error;
  });
  if (index !== undefined) return { lease, index, before };
  await lease.release();
  return activeElsewhere(await leases.read());
}

/** With the lease in hand, waits for a process that still has the index: it must end. */
async function openWhileHeld(
  lease: HeldLease,
  options: TurnOptions,
): Promise<ObjectIndex | undefined> {
  const begun = performance.now();
  for (let told = false; !lease.lost.aborted; told = true) {
    if (options.signal?.aborted === true) {
      throw new EngineError("CANCELLED", "stopped while waiting for the index");
    }
    const index = await openUnlessLocked(options);
    if (index !== undefined) return index;
    if (performance.now() - begun > options.waitMs) throw lockedBy(indexTaken);
    if (!told) options.onWaiting(`waiting: ${indexTaken}`);
    await sleep(leaseTiming.pollEveryMs);
  }
  return undefined;
}

async function openUnlessLocked(options: TurnOptions): Promise<ObjectIndex | undefined> {
  try {
    return await options.openIndex();
  } catch (error) {
    if (EngineError.from(error).code === "LOCKED") return undefined;
    throw error;
  }
}

const indexTaken =
  "another process has the index open; a command ends by itself, a process that hangs must be " +
  "killed";

function activeElsewhere({ holder, epoch }: LeaseRecord): string {
  if (holder === undefined) return "another process takes the lease at this moment";
  return `the controller on node ${holder.node} (process ${holder.pid}, epoch ${epoch}) is active`;
}

function lockedBy(answer: string): EngineError {
  return new EngineError("LOCKED", `this is not the turn of this process: ${answer}`, {
    hint: "use that one (`thermocline status`), stop it, or stand by with `thermocline controller`",
  });
}
