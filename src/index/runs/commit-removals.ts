import { changeCopies } from "#index/apply-copies.ts";
import { micros } from "#index/connection.ts";
import { doubtOtherNames } from "#index/runs/doubt-other-names.ts";
import {
  endPermits,
  type PermitEnd,
  readPermits,
  type StoredPermit,
} from "#index/runs/permit-store.ts";
import { type ActionOutcome, recordOutcomes } from "#index/runs/record-outcomes.ts";
import { runOfStep } from "#index/runs/step-batch.ts";
import type { RunRecord } from "#index/runs/run-record.ts";
import { noteSameStorages } from "#index/same-storages.ts";
import type { Transaction } from "#index/transaction.ts";
import { EngineError } from "#model/engine-error.ts";
import type { Evidence } from "#model/copy.ts";
import { outcomeUnknownAfter } from "#model/removal.ts";
import type { RemoveOutcome, StepData } from "#model/run.ts";

/**
 * Records a remove step: copies gone with their proofs, outcomes, reservations ended. What has
 * been recorded before is left alone. A removal without a permit is a defect and is refused.
 * Where a permit ran out before it was used, the action stays open for another one.
 */
export async function commitRemovals(
  transaction: Transaction,
  step: StepData,
  outcomes: readonly RemoveOutcome[],
  now: Date,
): Promise<void> {
  const run = await runOfStep(transaction, step);
  const permits = new Map(
    (
      await readPermits(
        transaction.connection,
        "m.run_key = $1 AND m.sequence >= $2 AND m.sequence < $3",
        [run.runKey, step.from, step.to],
      )
    ).map((permit) => [permit.sequence, permit]),
  );
  const ended: ActionOutcome[] = [];
  const gone: StoredPermit[] = [];
  const permitEnds: PermitEnd[] = [];
  for (const outcome of outcomes) {
    const permit = permits.get(outcome.sequence);
    if (outcome.outcome === "done") {
      const used = requirePermit(permit, outcome.sequence, outcome.proof.permitId);
      if (used.state === "done") continue;
      gone.push(used);
      recordProof(transaction, run, used, outcome.result, outcome.proof.evidence, now);
      // An action that was settled before keeps its outcome; the copy is gone all the same.
      if (used.state !== "ended" || !(await hasOutcome(transaction, used))) {
        ended.push(removed(used, step, outcome.result));
      }
      permitEnds.push({ permitId: used.id, state: "done" });
    } else if (permit?.state === "open" || permit?.state === "unknown") {
      const { end, permitEnd } = endWithoutRemoval(permit, step, outcome);
      permitEnds.push(permitEnd);
      if (end !== undefined) ended.push(end);
    }
  }
  await endPermits(transaction, permitEnds, now);
  await changeCopies(
    transaction,
    gone.map((permit) => goneCopy(permit, now)),
  );
  const same = outcomes.flatMap((one) => ("sameStorage" in one ? [one.sameStorage] : []));
  await noteSameStorages(transaction, same, now);
  await doubtOtherNames(transaction, gone, now);
  await keepDeleted(transaction, gone);
  await recordOutcomes(transaction, run, ended, now);
}

/** Whether the action of a permit has ended, and not only the permit. */
async function hasOutcome(
  transaction: Transaction,
  { runKey, sequence }: StoredPermit,
): Promise<boolean> {
  const rows = await transaction.rows("FROM outcomes WHERE run_key = $1 AND sequence = $2", [
    runKey,
    sequence,
  ]);
  return rows.length > 0;
}

/** The copy a permit was for, as gone. */
export function goneCopy(permit: StoredPermit, now: Date) {
  return {
    objectId: permit.objectId,
    backendId: permit.backendId,
    state: "gone",
    confidence: "claimed",
    checkedAt: now,
  } as const;
}

/**
 * What was read or held while its deletion was under way lost its mark, and then its last copy:
 * it is deleted all the same, as it was when the permit was given.
 */
export async function keepDeleted(
  transaction: Transaction,
  gone: readonly Pick<StoredPermit, "objectId" | "authority" | "issuedAt">[],
): Promise<void> {
  const deleted = gone.filter((permit) => permit.authority === "delete");
  if (deleted.length === 0) return;
  await transaction.stage(
    "deleted_objects",
    { object_id: "BIGINT", issued_at: "BIGINT" },
    deleted.map(({ objectId, issuedAt }) => [objectId, micros(new Date(issuedAt))]),
  );
  await transaction.run(
    `UPDATE objects SET tombstoned = make_timestamp(d.issued_at)
     FROM (SELECT object_id, min(issued_at) AS issued_at FROM deleted_objects GROUP BY ALL) AS d
     WHERE objects.object_id = d.object_id AND present_mask = 0 AND tombstoned IS NULL`,
  );
}

/** The proof of a removal, in the ledger. */
export function recordProof(
  transaction: Transaction,
  run: RunRecord,
  permit: StoredPermit,
  result: string,
  evidence: readonly Evidence[],
  now: Date,
): void {
  transaction.record({
    at: now,
    kind: "proof",
    runId: run.runId,
    planCid: run.planCid,
    sequence: permit.sequence,
    objectId: permit.objectId,
    reason: result,
    detail: { permit: permit.id, backend: permit.backend, authority: permit.authority, evidence },
  });
}

/** The batch of an action: its number and its verb. */
export type PlacedBatch = Pick<StepData, "batch" | "verb">;

/** The outcome of an action whose copy is gone. */
export function removed(
  permit: StoredPermit,
  { batch, verb }: PlacedBatch,
  result: string,
): ActionOutcome {
  return {
    sequence: permit.sequence,
    batch,
    verb,
    objectId: permit.objectId,
    size: permit.size,
    outcome: "done",
    message: `the copy on ${permit.backend} is ${result}`,
    detail: { permit: permit.id },
  };
}

function requirePermit(
  permit: StoredPermit | undefined,
  sequence: number,
  permitId: string,
): StoredPermit {
  if (permit?.id === permitId) return permit;
  throw new EngineError(
    "INTERNAL",
    `action ${sequence} reports a removal under permit ${permitId}, which was not issued for it`,
  );
}

function endWithoutRemoval(
  permit: StoredPermit,
  { batch, verb }: PlacedBatch,
  outcome: Exclude<RemoveOutcome, { outcome: "done" }>,
): { readonly permitEnd: PermitEnd; readonly end: ActionOutcome | undefined } {
  const permitId = permit.id;
  if (outcome.outcome === "failed" && outcomeUnknownAfter.has(outcome.code)) {
    const { code, message } = outcome;
    return { permitEnd: { permitId, state: "unknown", code, message }, end: undefined };
  }
  const permitEnd = { permitId, state: "ended" } as const;
  if (outcome.outcome === "expired") return { permitEnd, end: undefined };
  const { sequence, objectId, size } = permit;
  const base = { sequence, batch, verb, objectId, size, step: "removal" } as const;
  const detail = { permit: permit.id };
  if (outcome.outcome === "failed") {
    const { code, message } = outcome;
    return { permitEnd, end: { ...base, outcome: "failed", code, message, detail } };
  }
  return {
    permitEnd,
    end: { ...base, outcome: outcome.outcome, message: outcome.reason, detail },
  };
}
