import { type Connection, micros } from "#index/connection.ts";
import { forgetReserved } from "#index/costs/settle-costs.ts";
import { recheckRepairs } from "#index/failures/repair-log.ts";
import { dropBatchNeeds } from "#index/runs/batch-needs.ts";
import { cancelBatches, everyBatch } from "#index/runs/cancel-batches.ts";
import { runRecord } from "#index/runs/run-record.ts";
import type { Transaction } from "#index/transaction.ts";
import { EngineError } from "#model/engine-error.ts";
import type { SqlRow } from "#model/sql.ts";

/** Pauses, resumes or cancels a run that has not ended. */
export async function setRunState(
  transaction: Transaction,
  runId: string,
  state: "running" | "paused" | "cancelled",
  now: Date,
  reason?: string,
): Promise<void> {
  const run = await runRecord(transaction.connection, runId);
  if (run.state === state) return;
  if (run.ended || run.state === "cancelled") {
    throw new EngineError("CONFLICT", `run ${runId} is ${run.state} and cannot be ${state}`, {
      retryable: false,
      hint: "apply the plan again to start a new run",
    });
  }
  if (run.state === "awaiting-approval" && state !== "cancelled") {
    throw new EngineError("CONFLICT", `run ${runId} awaits approval and cannot be ${state}`, {
      retryable: false,
      hint: `thermocline approve ${runId} --reason …`,
    });
  }
  await transaction.run("UPDATE runs SET state = $2 WHERE run_key = $1", [run.runKey, state]);
  if (state !== "paused") await forgetPauses(transaction, [runId]);
  transaction.record({ at: now, kind: "run", runId, planCid: run.planCid, reason: state });
  if (state !== "cancelled") return;
  await cancelBatches(transaction, run, everyBatch, reason ?? "the run was cancelled", now);
}

/** Whether there is a run that `finishRuns` would end. Asked often, so it only reads. */
export async function anyRunToFinish(connection: Connection): Promise<boolean> {
  return (await connection.rows<SqlRow>(finishedRuns)).length > 0;
}

/** Ends runs that have nothing left. Gives their ids. */
export async function finishRuns(transaction: Transaction, now: Date): Promise<readonly string[]> {
  const ended = await transaction.rows<{ run_key: number; run_id: string; plan_cid: string }>(
    finishedRuns,
  );
  await transaction.stage(
    "ended_runs",
    { run_key: "BIGINT" },
    ended.map((run) => [run.run_key]),
  );
  await transaction.run(endRuns, [micros(now)]);
  await transaction.run(forgetActions);
  await forgetReserved(transaction);
  await forgetPauses(
    transaction,
    ended.map((run) => run.run_id),
  );
  await dropBatchNeeds(transaction);
  await recheckRepairs(
    transaction,
    ended.map((run) => run.run_id),
    now,
  );
  for (const run of ended) {
    const about = { runId: run.run_id, planCid: run.plan_cid };
    transaction.record({ at: now, kind: "run", reason: "ended", ...about });
  }
  return ended.map((run) => run.run_id);
}

async function forgetPauses(transaction: Transaction, runIds: readonly string[]): Promise<void> {
  for (const runId of runIds) {
    await transaction.run("DELETE FROM pauses WHERE scope = 'run' AND name = $1", [runId]);
  }
}

const finishedRuns = `
  SELECT run_key, run_id, plan_cid FROM runs AS r
  WHERE ended_at IS NULL AND state <> 'awaiting-approval' AND NOT EXISTS (
    FROM batches AS b WHERE b.run_key = r.run_key AND b.state <> 'done')
  ORDER BY run_key`;

const endRuns = `
  UPDATE runs SET ended_at = make_timestamp($1::BIGINT),
    state = CASE
      WHEN runs.state = 'cancelled' THEN 'cancelled'
      WHEN n.failed = 0 AND n.cancelled = 0 THEN 'completed'
      WHEN n.done = 0 AND n.skipped = 0 THEN 'failed'
      ELSE 'partial' END
  FROM (
    SELECT e.run_key, coalesce(sum(b.done), 0) AS done, coalesce(sum(b.skipped), 0) AS skipped,
      coalesce(sum(b.failed), 0) AS failed, coalesce(sum(b.cancelled), 0) AS cancelled
    FROM ended_runs AS e LEFT JOIN batches AS b USING (run_key) GROUP BY e.run_key
  ) AS n
  WHERE runs.run_key = n.run_key`;

/**
 * Their actions are in the plan file, their outcomes in the ledger. What failed or was cancelled
 * stays, so that it can be tried again.
 */
const forgetActions = `
  DELETE FROM plan_actions WHERE plan_key IN (
    SELECT plan_key FROM runs GROUP BY plan_key HAVING count(ended_at) = count(*))
  AND (plan_key, sequence) NOT IN (
    SELECT (r.plan_key, e.sequence) FROM outcomes AS e JOIN runs AS r USING (run_key)
    WHERE e.outcome IN ('failed', 'cancelled'))`;
