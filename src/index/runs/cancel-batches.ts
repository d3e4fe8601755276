import { type Connection, micros } from "#index/connection.ts";
import { countOutcomes } from "#index/runs/record-outcomes.ts";
import type { RunRecord } from "#index/runs/run-record.ts";
import { actingColumns, ledgerColumns, type Transaction } from "#index/transaction.ts";
import type { AffectedWork, ControlTarget } from "#model/control.ts";
import type { SqlRow, SqlStatement } from "#model/sql.ts";

/** Which batches of a run: SQL over `batches AS b`, given the place of its parameter. */
export interface BatchChoice {
  readonly condition: (place: string) => string;
  readonly parameter: string;
}

export const everyBatch: BatchChoice = {
  condition: (place) => `${place}::VARCHAR IS NOT NULL`,
  parameter: "",
};

/** The batches that a pause or cancel is about; of a node nobody knows before it works. */
export function batchesOf({ scope, name }: ControlTarget): BatchChoice {
  if (scope === "policy") return { condition: ofPolicy, parameter: name };
  return scope === "backend" ? { condition: ofBackend, parameter: name } : everyBatch;
}

function ofPolicy(place: string): string {
  return `b.policy = ${place}`;
}

function ofBackend(place: string): string {
  return `(SELECT backend_id FROM backends WHERE name = ${place}) IN (b.source, b.target, b.victim)`;
}

/**
 * Ends what no worker was given of these batches: set-based, since it may be most of a large
 * plan. Batches that workers may hold are marked; they end as their jobs are taken away.
 */
export async function cancelBatches(
  transaction: Transaction,
  run: RunRecord,
  choice: BatchChoice,
  reason: string,
  now: Date,
): Promise<void> {
  await transaction.run(pendingActions(choice, ""), [run.runKey, run.planKey, choice.parameter]);
  await endActions(transaction, run, reason, now);
  // What remains of a pending batch holds permits that are settled by asking.
  await transaction.run(
    `UPDATE batches AS b SET state = 'queued', cancel_reason = $2
     WHERE b.run_key = $1 AND b.state <> 'done' AND b.cancel_reason IS NULL
       AND ${choice.condition("$3")}`,
    [run.runKey, reason, choice.parameter],
  );
}

/** Ends the pending actions about the objects in the temporary table `chosen_objects`. */
export async function cancelObjects(
  transaction: Transaction,
  run: RunRecord,
  choice: BatchChoice,
  reason: string,
  now: Date,
): Promise<number> {
  const chosen = "AND p.object_id IN (SELECT object_id FROM chosen_objects)";
  const parameters = [run.runKey, run.planKey, choice.parameter];
  await transaction.run(pendingActions(choice, chosen), parameters);
  return await endActions(transaction, run, reason, now);
}

/** Numbers of actions of one run. */
export interface ActionRange {
  readonly from: number;
  /** The first that is not one of them. */
  readonly past: number;
}

/** Ends the pending actions of a run with these numbers. */
export async function cancelRanges(
  transaction: Transaction,
  run: RunRecord,
  ranges: readonly ActionRange[],
  reason: string,
  now: Date,
): Promise<number> {
  const rows = ranges.map(({ from, past }) => [from, past]);
  await transaction.stage("cancelled_ranges", { first: "BIGINT", past: "BIGINT" }, rows);
  const chosen = "AND p.sequence IN (SELECT unnest(range(first, past)) FROM cancelled_ranges)";
  const parameters = [run.runKey, run.planKey, everyBatch.parameter];
  await transaction.run(pendingActions(everyBatch, chosen), parameters);
  return await endActions(transaction, run, reason, now);
}

/** How much of a target's pending work is about the objects that a condition selects. */
export async function pendingAbout(
  connection: Connection,
  target: ControlTarget,
  where: SqlStatement,
): Promise<AffectedWork> {
  const choice = batchesOf(target);
  const given = where.parameters.length;
  return await connection.row<AffectedWork & SqlRow>(
    `SELECT count(DISTINCT r.run_key) AS runs, count(*) AS actions,
       coalesce(sum(s.size), 0)::BIGINT AS bytes, 0 AS queued
     FROM runs AS r JOIN plan_actions AS p USING (plan_key)
     JOIN batches AS b ON b.run_key = r.run_key AND p.sequence >= b.first AND p.sequence < b.past
     JOIN objects AS s USING (object_id)
     SEMI JOIN (SELECT o.object_id FROM object AS o WHERE ${where.text}) AS chosen
       ON chosen.object_id = p.object_id
     ANTI JOIN outcomes AS e ON e.run_key = r.run_key AND e.sequence = p.sequence
     ANTI JOIN permits AS m ON m.run_key = r.run_key AND m.sequence = p.sequence
     WHERE r.ended_at IS NULL AND b.state = 'pending' AND ${choice.condition(`$${given + 1}`)}
       AND ($${given + 2}::VARCHAR IS NULL OR r.run_id = $${given + 2})`,
    [...where.parameters, choice.parameter, target.scope === "run" ? target.name : null],
  );
}

async function endActions(
  transaction: Transaction,
  run: RunRecord,
  reason: string,
  now: Date,
): Promise<number> {
  await transaction.run("UPDATE new_outcomes SET message = $1", [reason]);
  const { count } = await transaction.row<{ count: number }>(
    "SELECT count(*) AS count FROM new_outcomes",
  );
  if (count === 0) return 0;
  await countOutcomes(transaction, run, now);
  await transaction.run(ledgerOfCancelled, [
    transaction.takeIds("entry", count),
    micros(now),
    run.runId,
    run.planCid,
    ...actingColumns(),
  ]);
  return count;
}

const pendingActions = (choice: BatchChoice, more: string) => `
  CREATE OR REPLACE TEMP TABLE new_outcomes AS
  SELECT p.sequence, b.number AS batch, p.object_id, 0 AS size, 'cancelled' AS outcome, NULL::VARCHAR AS code,
    ''::VARCHAR AS message, FALSE AS refused
  FROM plan_actions AS p
  JOIN batches AS b ON b.run_key = $1 AND p.sequence >= b.first AND p.sequence < b.past
  WHERE p.plan_key = $2 AND b.state = 'pending' AND ${choice.condition("$3")} ${more}
    AND p.sequence NOT IN (SELECT sequence FROM outcomes WHERE run_key = $1)
    AND p.sequence NOT IN (SELECT sequence FROM permits WHERE run_key = $1)`;

const ledgerOfCancelled = `
  INSERT INTO ledger_entries (${ledgerColumns}, actor, note)
  SELECT $1 - 1 + row_number() OVER (ORDER BY sequence), make_timestamp($2::BIGINT), 'outcome',
    $3, $4, sequence, object_id, 'cancelled', message, NULL, $5, $6
  FROM new_outcomes`;
