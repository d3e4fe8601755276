import { changeCopies } from "#index/apply-copies.ts";
import { type Connection, micros } from "#index/connection.ts";
import { goneCopy, keepDeleted, recordProof, removed } from "#index/runs/commit-removals.ts";
import { doubtOtherNames } from "#index/runs/doubt-other-names.ts";
import {
  endPermits,
  publicPermit,
  readPermits,
  type StoredPermit,
} from "#index/runs/permit-store.ts";
import { type ActionOutcome, recordOutcomes } from "#index/runs/record-outcomes.ts";
import { runRecord, type RunRecord } from "#index/runs/run-record.ts";
import type { Transaction } from "#index/transaction.ts";
import type { Evidence } from "#model/copy.ts";
import { EngineError } from "#model/engine-error.ts";
import type { Verb } from "#model/plan.ts";
import type { RemovalPermit } from "#model/removal.ts";
import type { SqlRow } from "#model/sql.ts";

/** Permits that ran out before `now` with an outcome nobody knows. */
export async function expiredPermits(
  connection: Connection,
  now: Date,
): Promise<readonly RemovalPermit[]> {
  const permits = await readPermits(
    connection,
    "m.state IN ('open', 'unknown') AND m.expires_at <= make_timestamp($1::BIGINT)",
    [micros(now)],
  );
  return permits.map(publicPermit);
}

/**
 * Ends a permit by what the backend was found to hold: nothing means the removal happened, and
 * the finding is its proof; a copy means it did not. A settled permit is left alone. Where nobody
 * is known to have tried, and the run goes on, the action stays open for another permit.
 */
export async function settlePermit(
  transaction: Transaction,
  permitId: string,
  evidence: Evidence,
  now: Date,
): Promise<void> {
  const [permit] = await readPermits(transaction.connection, "m.permit_id = $1", [permitId]);
  if (permit === undefined) {
    throw new EngineError("NOT_FOUND", `there is no permit "${permitId}"`);
  }
  if (evidence.backend !== permit.backend || evidence.cid !== permit.cid) {
    throw new EngineError(
      "INTERNAL",
      `permit ${permitId} is for ${permit.cid} on ${permit.backend}, the evidence is about ` +
        `${evidence.cid} on ${evidence.backend}`,
    );
  }
  if (permit.state !== "open" && permit.state !== "unknown") return;
  const run = await runOf(transaction, permit);
  const batch = await batchOf(transaction, permit);
  recordSettlement(transaction, run, permit, evidence, now);
  if (evidence.finding === "absent") {
    recordProof(transaction, run, permit, "settled", [evidence], now);
    await endPermits(transaction, [{ permitId, state: "done" }], now);
    await changeCopies(transaction, [goneCopy(permit, now)]);
    await doubtOtherNames(transaction, [permit], now);
    await keepDeleted(transaction, [permit]);
    await recordOutcomes(transaction, run, [removed(permit, batch, "absent")], now);
    return;
  }
  await endPermits(transaction, [{ permitId, state: "ended" }], now);
  if (evidence.finding === "corrupt") await changeCopies(transaction, [corruptCopy(permit, now)]);
  const end = notRemoved(permit, batch);
  if (end !== undefined) await recordOutcomes(transaction, run, [end], now);
}

interface PermitBatch extends SqlRow {
  readonly batch: number;
  readonly verb: Verb;
  readonly cancel_reason: string | null;
}

async function batchOf(transaction: Transaction, permit: StoredPermit): Promise<PermitBatch> {
  return await transaction.row<PermitBatch>(
    `SELECT number AS batch, verb, cancel_reason FROM batches
     WHERE run_key = $1 AND first <= $2 AND past > $2`,
    [permit.runKey, permit.sequence],
  );
}

async function runOf(transaction: Transaction, permit: StoredPermit): Promise<RunRecord> {
  const { run_id: runId } = await transaction.row<{ run_id: string }>(
    "SELECT run_id FROM runs WHERE run_key = $1",
    [permit.runKey],
  );
  return await runRecord(transaction.connection, runId);
}

function notRemoved(permit: StoredPermit, batch: PermitBatch): ActionOutcome | undefined {
  const base = {
    sequence: permit.sequence,
    batch: batch.batch,
    verb: batch.verb,
    objectId: permit.objectId,
    size: permit.size,
    step: "removal",
    detail: { permit: permit.id },
  } as const;
  if (permit.pending !== undefined) return { ...base, outcome: "failed", ...permit.pending };
  const { cancel_reason: reason } = batch;
  return reason === null ? undefined : { ...base, outcome: "cancelled", message: reason };
}

function corruptCopy(permit: StoredPermit, now: Date) {
  return { ...goneCopy(permit, now), state: "corrupt" } as const;
}

function recordSettlement(
  transaction: Transaction,
  run: RunRecord,
  permit: StoredPermit,
  evidence: Evidence,
  now: Date,
): void {
  transaction.record({
    at: now,
    kind: "settlement",
    runId: run.runId,
    planCid: run.planCid,
    sequence: permit.sequence,
    objectId: permit.objectId,
    reason: evidence.finding,
    detail: { permit: permit.id, backend: permit.backend, evidence },
  });
}
