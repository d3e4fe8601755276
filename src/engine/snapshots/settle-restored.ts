import { scheduleStarter } from "#engine/schedules/starting.ts";
import type { LedgerOrder } from "#index/ledger/last-orders.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import { actAsEngine } from "#model/acting.ts";
import type { Run } from "#model/run.ts";

/** A run that had not ended at the time of the snapshot, and how it stands now. */
export interface RestoredRun {
  readonly id: string;
  readonly state: "paused" | "cancelled";
  readonly reason: string;
}

const actor = "thermocline";

/**
 * Nothing that was under way at the time of the snapshot goes on by itself: what the ledger says
 * to have ended or been cancelled since is cancelled, everything else waits for a person.
 */
export async function settleRuns(
  index: ObjectIndex,
  orders: readonly LedgerOrder[],
  { takenAt, now }: { readonly takenAt: string; readonly now: Date },
): Promise<readonly RestoredRun[]> {
  const settled: RestoredRun[] = [];
  await actAsEngine(async () => {
    for (const run of await index.runs()) {
      if (run.endedAt !== undefined || run.state === "cancelled") continue;
      const end = orders.find((order) => order.kind === "run" && order.run === run.id);
      if (end === undefined && run.state === "awaiting-approval") continue;
      settled.push(await settleRun(index, run, { end: end?.reason, takenAt, now }));
    }
  });
  return settled;
}

interface Fate {
  /** `ended` or `cancelled`, as the ledger says; undefined where it says nothing. */
  readonly end: string | null | undefined;
  readonly takenAt: string;
  readonly now: Date;
}

async function settleRun(
  index: ObjectIndex,
  run: Run,
  { end, takenAt, now }: Fate,
): Promise<RestoredRun> {
  const { id } = run;
  const target = { scope: "run", name: id } as const;
  if (typeof end === "string") {
    const what = end === "cancelled" ? "was cancelled" : "ended";
    const reason = `the ledger says that it ${what} after the snapshot of ${takenAt}`;
    await index.controls.cancel(target, { actor, reason }, now);
    return { id, state: "cancelled", reason };
  }
  const pauses = await index.controls.pauses();
  const before = pauses.find(({ scope, name }) => scope === "run" && name === id);
  const reason =
    `restored from the snapshot of ${takenAt}, and what became of it since is not known: ` +
    "take inventories, then resume or cancel it" +
    (before === undefined ? "" : `; it was paused before by ${before.actor}: ${before.reason}`);
  // A pause of before may have an end, at which the run would go on by itself.
  await index.controls.pause(target, { actor, reason }, now);
  return { id, state: "paused", reason };
}

/**
 * Schedules go on from now: an occurrence since the snapshot may have had its run, which somebody
 * may have cancelled, and is not caught up.
 */
export async function settleSchedules(index: ObjectIndex, now: Date): Promise<void> {
  for (const starter of await index.starters.all()) {
    if (starter.name !== scheduleStarter) continue;
    const { waiting: _dropped, ...state } = starter.state;
    const cursor = now.toISOString();
    await index.starters.put({ ...starter, state: { ...state, cursor } }, [], now);
  }
}
