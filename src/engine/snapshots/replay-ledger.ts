import { access } from "node:fs/promises";
import { extname } from "node:path";
import { z } from "zod";
import { canonicalCid } from "#content/cid.ts";
import { scheduleStarter } from "#engine/schedules/starting.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import type { LedgerOrder } from "#index/ledger/last-orders.ts";
import { readLedgerFile } from "#index/ledger/read-ledger-file.ts";
import { actAs } from "#model/acting.ts";
import { controlScopes } from "#model/control.ts";
import { EngineError } from "#model/engine-error.ts";
import { rowFileFormats } from "#model/row-file.ts";
import type { StarterState } from "#model/starter.ts";
import type { RowFormat } from "#model/sql.ts";

/** What a surviving part of the ledger gave back. */
export interface ReplayedLedger {
  readonly holds: number;
  readonly releases: number;
  readonly cordons: number;
  /** Pauses and suspended policies that hold again, or that were ended. */
  readonly pauses: number;
  /** Schedules that are disabled again, or enabled. */
  readonly schedules: number;
  /** Actions of runs that are cancelled again, which are not those of a whole run. */
  readonly cancelled: number;
  /** Orders about objects that the snapshot does not know, in their order. */
  readonly unknown: readonly UnknownHold[];
}

interface Replayed {
  readonly of: "holds" | "releases" | "cordons" | "pauses" | "schedules" | "cancelled";
  readonly count?: number;
}

/** A hold of an object that came after the snapshot. */
export interface UnknownHold {
  readonly cid: string;
  readonly reason: string;
}

/**
 * Has what people ordered after the snapshot hold again: holds, cordons and pauses, which no
 * backend could tell, policies that were suspended, schedules that were disabled, and what was
 * cancelled of runs. Ends of runs are left to `settleRuns`.
 * Everything else that the ledger records is found in the inventories, or is history.
 */
export async function replayOrders(
  index: ObjectIndex,
  orders: readonly LedgerOrder[],
  now: Date,
): Promise<ReplayedLedger> {
  const done = { holds: 0, releases: 0, cordons: 0, pauses: 0, schedules: 0, cancelled: 0 };
  const unknown: UnknownHold[] = [];
  for (const order of orders) {
    if (order.kind === "run" || order.kind === "cancelled-actions") continue;
    const reason = order.note ?? order.reason ?? undefined;
    const act = () => replayOne(index, order, now);
    const what = await (order.actor === null ? act() : actAs({ actor: order.actor, reason }, act));
    if ("cid" in what) unknown.push(what);
    else done[what.of] += what.count ?? 1;
  }
  done.cancelled += await replayCancelled(index, orders, now);
  return { ...done, unknown };
}

/** The orders behind the last entry of an index in a file that `audit export` wrote. */
export async function ordersInFile(
  index: ObjectIndex,
  file: string,
): Promise<readonly LedgerOrder[]> {
  const format = await formatOf(file);
  const after = await index.ledger.last();
  return await readLedgerFile(file, format, after).catch((cause: unknown) => {
    throw new EngineError("USAGE", `${file} does not hold entries of the ledger`, {
      hint: "give a file that `thermocline audit export` wrote",
      cause,
    });
  });
}

async function replayOne(
  index: ObjectIndex,
  order: LedgerOrder,
  now: Date,
): Promise<Replayed | UnknownHold> {
  const { kind, cid, backend, reason } = order;
  if (kind === "control") return await replayControl(index, order, now);
  if (kind === "schedule") {
    await replaySchedule(index, order, now);
    return { of: "schedules" };
  }
  if (kind === "suspension") {
    await replaySuspension(index, order, now);
    return { of: "pauses" };
  }
  if (kind === "cordon") {
    const known = (await index.backends()).some(({ name }) => name === backend);
    if (known && backend !== null) await index.setCordon(backend, reason === "cordoned");
    return { of: "cordons" };
  }
  const name = canonicalCid(cid ?? "");
  try {
    const objectId = await index.findObject(name);
    if (reason === "released") await index.release([objectId], now);
    else await index.hold([objectId], reason ?? "", now);
    return { of: reason === "released" ? "releases" : "holds" };
  } catch (error) {
    if (EngineError.from(error).code !== "NOT_FOUND") throw error;
    return reason === "released" ? { of: "releases" } : { cid: name, reason: reason ?? "" };
  }
}

/**
 * A run that was paused is settled with the others. A pause whose end has passed is ended by the
 * next controller, as it would have been.
 */
async function replayControl(
  index: ObjectIndex,
  { reason, actor, note, detail }: LedgerOrder,
  now: Date,
): Promise<Replayed> {
  const [, verb, scope, name = ""] =
    /^(paused|resumed|cancelled) (\S+) ?(.*)$/.exec(reason ?? "") ?? [];
  const known = controlScopes.find((one) => one === scope);
  if (known === undefined || known === "run") return { of: "pauses", count: 0 };
  const target = { scope: known, name };
  const told = detailOf(detail);
  const order = {
    actor: told.actor ?? actor ?? "thermocline",
    reason: told.reason ?? note ?? "as the ledger says",
  };
  if (verb === "cancelled") {
    const { actions } = await index.controls.affected(target);
    await index.controls.cancel(target, order, now);
    return { of: "cancelled", count: actions };
  }
  const until = told.until === undefined ? {} : { until: new Date(told.until) };
  if (verb === "paused") await index.controls.pause(target, { ...order, ...until }, now);
  else await index.controls.resume(target, order, now);
  return { of: "pauses" };
}

/** Of runs where some of the work was cancelled, by objects or as batches: that is not done. */
async function replayCancelled(
  index: ObjectIndex,
  orders: readonly LedgerOrder[],
  now: Date,
): Promise<number> {
  const ranges = Map.groupBy(
    orders.filter(({ kind, run }) => kind === "cancelled-actions" && run !== null),
    ({ run }) => run ?? "",
  );
  let count = 0;
  for (const [run, parts] of ranges) {
    const told = parts.map(({ detail }) => rangeOf(detail));
    count += await index.controls.cancelRanges(run, told, now);
  }
  return count;
}

/** One that the snapshot does not have yet begins disabled; see `settleSchedules` for the others. */
async function replaySchedule(
  index: ObjectIndex,
  { reason, actor, recorded, detail }: LedgerOrder,
  now: Date,
): Promise<void> {
  const { policy, why } = detailOf(detail);
  if (policy === undefined) return;
  const stored = (await index.starters.all()).find(
    (one) => one.policy === policy && one.name === scheduleStarter,
  );
  const fresh: StarterState = { identity: "restored", cursor: now.toISOString(), missed: 0 };
  const { disabled: _was, ...state } = stored?.state ?? fresh;
  const by = actor ?? "thermocline";
  const disabled = { reason: why ?? "as the ledger says", by, at: recorded.toISOString() };
  const next = reason === "disabled" ? { ...state, disabled } : state;
  await index.starters.put({ policy, name: scheduleStarter, state: next }, [], now);
}

/** What was recorded with an order, as far as it is what orders have. */
function detailOf(text: string | null): z.infer<typeof details> {
  const value: unknown = text === null ? {} : JSON.parse(text);
  return details.parse(value);
}

const texts = z.string().optional().catch(undefined);
const details = z.object({
  actor: texts,
  reason: texts,
  until: z.iso.datetime().optional().catch(undefined),
  policy: texts,
  why: texts,
});

const rangeSchema = z.object({ from: z.int(), past: z.int() });

function rangeOf(text: string | null): z.infer<typeof rangeSchema> {
  return rangeSchema.parse(JSON.parse(text ?? ""));
}

async function replaySuspension(
  index: ObjectIndex,
  { reason: policy, outcome }: LedgerOrder,
  now: Date,
): Promise<void> {
  if (policy === null) return;
  const why = "as the ledger says of the time after the snapshot";
  if (outcome === "done") await index.failures.suspendAgain(policy, why, now);
  else await index.failures.releaseSuspension(policy, why, now);
}

async function formatOf(file: string): Promise<RowFormat> {
  const ending = extname(file).slice(1);
  const format = rowFileFormats.find((known) => known === ending);
  if (format === undefined) {
    throw new EngineError("USAGE", `${file} does not end in .${rowFileFormats.join(", .")}`, {
      hint: "give a file that `thermocline audit export` wrote",
    });
  }
  await access(file).catch((cause: unknown) => {
    throw new EngineError("NOT_FOUND", `${file} cannot be read`, { cause });
  });
  return format;
}
