import { access } from "node:fs/promises";
import { extname } from "node:path";
import { canonicalCid } from "#content/cid.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import type { LedgerOrder } from "#index/ledger/last-orders.ts";
import { readLedgerFile } from "#index/ledger/read-ledger-file.ts";
import { actAs } from "#model/acting.ts";
import { controlScopes } from "#model/control.ts";
import { EngineError } from "#model/engine-error.ts";
import { rowFileFormats } from "#model/row-file.ts";
import type { RowFormat } from "#model/sql.ts";

/** What a surviving part of the ledger gave back. */
export interface ReplayedLedger {
  readonly holds: number;
  readonly releases: number;
  readonly cordons: number;
  /** Pauses and suspended policies that hold again, or that were ended. */
  readonly pauses: number;
  /** Orders about objects that the snapshot does not know, in their order. */
  readonly unknown: readonly UnknownHold[];
}

/** A hold of an object that came after the snapshot. */
export interface UnknownHold {
  readonly cid: string;
  readonly reason: string;
}

/**
 * Has what people ordered after the snapshot hold again: holds, cordons and pauses, which no
 * backend could tell, and policies that were suspended. Ends of runs are left to `settleRuns`.
 * Everything else that the ledger records is found in the inventories, or is history.
 */
export async function replayOrders(
  index: ObjectIndex,
  orders: readonly LedgerOrder[],
  now: Date,
): Promise<ReplayedLedger> {
  const done = { holds: 0, releases: 0, cordons: 0, pauses: 0 };
  const unknown: UnknownHold[] = [];
  for (const order of orders) {
    if (order.kind === "run") continue;
    const reason = order.note ?? order.reason ?? undefined;
    const act = () => replayOne(index, order, now);
    const what = await (order.actor === null ? act() : actAs({ actor: order.actor, reason }, act));
    if (typeof what === "string") done[what] += 1;
    else unknown.push(what);
  }
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
): Promise<"holds" | "releases" | "cordons" | "pauses" | UnknownHold> {
  const { kind, cid, backend, reason } = order;
  if (kind === "control" || kind === "suspension") {
    await (kind === "control" ? replayPause : replaySuspension)(index, order, now);
    return "pauses";
  }
  if (kind === "cordon") {
    const known = (await index.backends()).some(({ name }) => name === backend);
    if (known && backend !== null) await index.setCordon(backend, reason === "cordoned");
    return "cordons";
  }
  const name = canonicalCid(cid ?? "");
  try {
    const objectId = await index.findObject(name);
    if (reason === "released") await index.release([objectId], now);
    else await index.hold([objectId], reason ?? "", now);
    return reason === "released" ? "releases" : "holds";
  } catch (error) {
    if (EngineError.from(error).code !== "NOT_FOUND") throw error;
    return reason === "released" ? "releases" : { cid: name, reason: reason ?? "" };
  }
}

/** A run that was paused is settled with the others. An end by itself is not known here. */
async function replayPause(
  index: ObjectIndex,
  { reason, actor, note }: LedgerOrder,
  now: Date,
): Promise<void> {
  const [, verb, scope, name = ""] = /^(paused|resumed) (\S+) ?(.*)$/.exec(reason ?? "") ?? [];
  const known = controlScopes.find((one) => one === scope);
  if (known === undefined || known === "run") return;
  const target = { scope: known, name };
  const order = { actor: actor ?? "thermocline", reason: note ?? "as the ledger says" };
  if (verb === "paused") await index.controls.pause(target, order, now);
  else await index.controls.resume(target, order, now);
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
