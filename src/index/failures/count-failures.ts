import { micros } from "#index/connection.ts";
import { isSameFailure } from "#index/failures/same-failure.ts";
import { countForSuspension } from "#index/failures/suspend-policies.ts";
import type { RunRecord } from "#index/runs/run-record.ts";
import type { Transaction } from "#index/transaction.ts";
import { defaultFailureLimits, objectCauses, outsideCauses } from "#model/failure.ts";
import { isDoneOutside, isHandedOut, runActions } from "#model/run-order.ts";

/**
 * Draws the consequences of the outcomes in the temporary table `new_outcomes`: an object that
 * fails is noted with its cause, one that fails too often with the same cause is quarantined, a
 * success or another cause begins anew; and a policy with too many failures is suspended.
 */
export async function countFailures(
  transaction: Transaction,
  run: RunRecord,
  now: Date,
): Promise<void> {
  await countForSuspension(transaction, run, now);
  const { needed } = await transaction.row<{ needed: boolean }>(
    `SELECT EXISTS (FROM failing_actions) OR EXISTS (FROM new_outcomes WHERE outcome = 'failed')
       AS needed`,
  );
  if (!needed) return;
  await transaction.run(attemptsOf, [run.planKey]);
  await endQuarantines(transaction, run, now);
  const at = micros(now);
  await transaction.run(failedAgain, [at, run.runId]);
  await transaction.run(failedFirst, [at, run.runId]);
  await quarantine(transaction, run, now);
}

/** A success ends what was noted before; where that was a quarantine, the ledger says so. */
async function endQuarantines(transaction: Transaction, run: RunRecord, now: Date): Promise<void> {
  const ended = await transaction.rows<{
    object_id: number;
    backend: string | null;
    step: string;
  }>(
    `SELECT f.object_id, b.name AS backend, f.step
     FROM failing_actions AS f JOIN new_attempts AS a ON ${isSameFailure("f", "a")}
     LEFT JOIN backends AS b ON b.backend_id = f.backend_id
     WHERE f.quarantined_at IS NOT NULL AND NOT a.failed ORDER BY ALL`,
  );
  for (const { object_id: objectId, backend, step } of ended) {
    transaction.record({
      at: now,
      kind: "quarantine",
      runId: run.runId,
      planCid: run.planCid,
      objectId,
      reason: "succeeded",
      detail: { backend, step },
    });
  }
  await transaction.run(
    `DELETE FROM failing_actions AS f USING new_attempts AS a
     WHERE ${isSameFailure("f", "a")} AND NOT a.failed`,
  );
}

async function quarantine(transaction: Transaction, run: RunRecord, now: Date): Promise<void> {
  const entered = await transaction.rows<{
    object_id: number;
    sequence: number;
    backend: string | null;
    step: string;
    code: string;
    failures: number;
    message: string;
  }>(
    `SELECT f.object_id, f.sequence, b.name AS backend, f.step, f.code, f.failures,
       f.message
     FROM failing_actions AS f LEFT JOIN backends AS b USING (backend_id)
     WHERE ${toQuarantine("f")} ORDER BY f.sequence, f.step`,
    [run.runId],
  );
  if (entered.length === 0) return;
  await transaction.run(
    `UPDATE failing_actions AS f SET quarantined_at = make_timestamp($2::BIGINT)
     WHERE ${toQuarantine("f")}`,
    [run.runId, micros(now)],
  );
  for (const { object_id: objectId, sequence, code, ...detail } of entered) {
    transaction.record({
      at: now,
      kind: "quarantine",
      runId: run.runId,
      planCid: run.planCid,
      sequence,
      objectId,
      reason: code,
      detail,
    });
  }
}

/** Rows of this run that reached the limit of their policy, by a cause that is the object's. */
const toQuarantine = (alias: string) => `
  ${alias}.run_id = $1 AND ${alias}.quarantined_at IS NULL
  AND CASE WHEN ${alias}.verb IN (${textList(runActions.filter(isHandedOut))}) THEN ${alias}.code IN (${textList(outsideCauses)})
    ELSE ${alias}.code IN (${textList(objectCauses)}) END
  AND ${alias}.failures >= coalesce(
    (SELECT l.quarantine_after FROM failure_limits AS l
     WHERE l.policy = split_part(${alias}.rule, '/', 1)),
    ${defaultFailureLimits.quarantineAfter})`;

function textList(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(", ");
}

/** What was tried where: a removal that failed or was refused tells that its copy was made. */
const attemptsOf = `
  CREATE OR REPLACE TEMP TABLE new_attempts AS
  SELECT n.object_id, 'copy' AS step, p.target AS backend_id,
    n.outcome = 'failed' AND n.step = 'copy' AS failed,
    n.code, n.message, n.output, n.sequence, p.verb, p.rule
  FROM new_outcomes AS n JOIN plan_actions AS p ON p.plan_key = $1 AND p.sequence = n.sequence
  WHERE p.target IS NOT NULL
    AND (n.outcome = 'done' OR n.refused OR (n.outcome = 'failed' AND n.step IS NOT NULL))
  UNION ALL
  SELECT n.object_id, 'removal', p.victim, n.outcome = 'failed',
    n.code, n.message, n.output, n.sequence, p.verb, p.rule
  FROM new_outcomes AS n JOIN plan_actions AS p ON p.plan_key = $1 AND p.sequence = n.sequence
  WHERE p.victim IS NOT NULL
    AND (n.outcome = 'done' OR (n.outcome = 'failed' AND n.step = 'removal'))
  UNION ALL
  SELECT n.object_id, 'act',
    CASE WHEN p.verb NOT IN (${textList(runActions.filter(isDoneOutside))}) THEN p.source END,
    n.outcome = 'failed', n.code, n.message, n.output,
    n.sequence, p.verb, p.rule
  FROM new_outcomes AS n JOIN plan_actions AS p ON p.plan_key = $1 AND p.sequence = n.sequence
  WHERE p.verb IN (${textList(runActions)}) AND n.outcome IN ('done', 'failed')`;

const failedAgain = `
  UPDATE failing_actions AS f SET
    failures = CASE WHEN f.code = a.code THEN f.failures + 1 ELSE 1 END,
    first_at = CASE WHEN f.code = a.code THEN f.first_at
      ELSE make_timestamp($1::BIGINT) END,
    quarantined_at = CASE WHEN f.code = a.code THEN f.quarantined_at END,
    code = a.code, message = a.message, output = a.output, last_at = make_timestamp($1::BIGINT), run_id = $2,
    sequence = a.sequence, verb = a.verb, rule = a.rule
  FROM new_attempts AS a
  WHERE a.failed AND ${isSameFailure("f", "a")}`;

const failedFirst = `
  INSERT INTO failing_actions (object_id, step, backend_id, code, message, output, failures,
    first_at, last_at, run_id, sequence, verb, rule)
  SELECT a.object_id, a.step, a.backend_id, a.code, a.message, a.output, 1,
    make_timestamp($1::BIGINT), make_timestamp($1::BIGINT), $2, a.sequence, a.verb, a.rule
  FROM new_attempts AS a ANTI JOIN failing_actions AS f ON ${isSameFailure("f", "a")}
  WHERE a.failed ORDER BY a.sequence`;
