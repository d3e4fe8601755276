import { type Connection, micros } from "#index/connection.ts";
import { dropBatchNeeds } from "#index/runs/batch-needs.ts";
import { countOutcomes } from "#index/runs/record-outcomes.ts";
import { runRecord, type RunRecord } from "#index/runs/run-record.ts";
import { ledgerColumns, type Transaction } from "#index/transaction.ts";
import { EngineError } from "#model/engine-error.ts";
import type { SqlRow } from "#model/sql.ts";

/** Pauses, resumes or cancels a run that has not ended. */
export async function setRunState(
  transaction: Transaction,
  runId: string,
  state: "running" | "paused" | "cancelled",
  now: Date,
): Promise<void> {
  const run = await runRecord(transaction.connection, runId);
  if (run.state === state) return;
  if (run.ended || run.state === "cancelled") {
    throw new EngineError("CONFLICT", `run ${runId} is ${run.state} and cannot be ${state}`, {
      retryable: false,
      hint: "apply the plan again to start a new run",
    });
  }
  await transaction.run("UPDATE runs SET state = $2 WHERE run_key = $1", [run.runKey, state]);
  transaction.record({ at: now, kind: "run", runId, planCid: run.planCid, reason: state });
  if (state === "cancelled") await cancelPending(transaction, run, now);
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
  // Their actions are in the plan file, their outcomes in the ledger.
  await transaction.run(
    `DELETE FROM plan_actions WHERE plan_key IN (
       SELECT plan_key FROM runs GROUP BY plan_key HAVING count(ended_at) = count(*))`,
  );
  await dropBatchNeeds(transaction);
  for (const run of ended) {
    const about = { runId: run.run_id, planCid: run.plan_cid };
    transaction.record({ at: now, kind: "run", reason: "ended", ...about });
  }
  return ended.map((run) => run.run_id);
}

/** Ends what no worker was given: set-based, since it may be most of a large plan. */
async function cancelPending(transaction: Transaction, run: RunRecord, now: Date): Promise<void> {
  await transaction.run(pendingActions, [run.runKey, run.planKey]);
  const { count } = await transaction.row<{ count: number }>(
    "SELECT count(*) AS count FROM new_outcomes",
  );
  if (count > 0) {
    await countOutcomes(transaction, run);
    await transaction.run(ledgerOfCancelled, [
      transaction.takeIds("entry", count),
      micros(now),
      run.runId,
      run.planCid,
    ]);
  }
  // What remains of a pending batch holds permits that are settled by asking.
  await transaction.run(
    "UPDATE batches SET state = 'queued' WHERE run_key = $1 AND state = 'pending'",
    [run.runKey],
  );
}

const finishedRuns = `
  SELECT run_key, run_id, plan_cid FROM runs AS r
  WHERE ended_at IS NULL AND NOT EXISTS (
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

const pendingActions = `
  CREATE OR REPLACE TEMP TABLE new_outcomes AS
  SELECT p.sequence, p.object_id, 'cancelled' AS outcome, NULL::VARCHAR AS code,
    'the run was cancelled' AS message, FALSE AS refused
  FROM plan_actions AS p
  JOIN batches AS b ON b.run_key = $1 AND p.sequence >= b.first AND p.sequence < b.past
  WHERE p.plan_key = $2 AND b.state = 'pending'
    AND p.sequence NOT IN (SELECT sequence FROM outcomes WHERE run_key = $1)
    AND p.sequence NOT IN (SELECT sequence FROM permits WHERE run_key = $1)`;

const ledgerOfCancelled = `
  INSERT INTO ledger_entries (${ledgerColumns})
  SELECT $1 - 1 + row_number() OVER (ORDER BY sequence), make_timestamp($2::BIGINT), 'outcome',
    $3, $4, sequence, object_id, 'cancelled', message, NULL
  FROM new_outcomes`;
