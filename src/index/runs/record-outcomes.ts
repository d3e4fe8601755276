import { micros } from "#index/connection.ts";
import { settleOutcomes } from "#index/costs/settle-costs.ts";
import { countFailures } from "#index/failures/count-failures.ts";
import type { RunRecord } from "#index/runs/run-record.ts";
import type { LedgerEntry, Transaction } from "#index/transaction.ts";
import type { FailureStep } from "#model/failure.ts";
import type { Verb } from "#model/plan.ts";

/** How one action of a run ended. */
export interface ActionOutcome {
  readonly sequence: number;
  /** Number of the batch it is in, and its verb. */
  readonly batch: number;
  readonly verb: Verb;
  readonly objectId: number;
  /** Bytes of the object. */
  readonly size: number;
  readonly outcome: "done" | "skipped" | "failed" | "cancelled";
  /** Error code of a failure, reason of a refusal. */
  readonly code?: string;
  readonly message: string;
  /** What of the action a failure was in. */
  readonly step?: FailureStep;
  /** What a command wrote last to its standard error. */
  readonly output?: string;
  /** The single writer gave no permit. */
  readonly refused?: boolean;
  /** For the ledger: rule, verb, what was checked. */
  readonly detail?: unknown;
}

/**
 * Writes the outcomes of actions that have none yet, counts them in their batches and lets the
 * objects out of flight. Callers pass only actions that are open, so that each ends once.
 */
export async function recordOutcomes(
  transaction: Transaction,
  run: RunRecord,
  outcomes: readonly ActionOutcome[],
  now: Date,
): Promise<void> {
  if (outcomes.length === 0) return;
  await transaction.stage(
    "new_outcomes",
    {
      sequence: "BIGINT",
      batch: "BIGINT",
      object_id: "BIGINT",
      size: "BIGINT",
      outcome: "VARCHAR",
      code: "VARCHAR",
      message: "VARCHAR",
      step: "VARCHAR",
      output: "VARCHAR",
      refused: "BOOLEAN",
      moves: "BOOLEAN",
    },
    outcomes.map((ended) => [
      ended.sequence,
      ended.batch,
      ended.objectId,
      ended.size,
      ended.outcome,
      ended.code,
      ended.message,
      ended.step,
      ended.output,
      ended.refused ?? false,
      moves(ended),
    ]),
  );
  await countOutcomes(transaction, run, now);
  if (outcomes.some(moves)) await transaction.run(markMoved, [micros(now)]);
  await countFailures(transaction, run, now);
  transaction.record(...outcomes.map((outcome) => ledgerEntry(run, outcome, now)));
}

/** Counts and stores the temporary table `new_outcomes`, and settles what it cost. */
export async function countOutcomes(
  transaction: Transaction,
  run: RunRecord,
  now: Date,
): Promise<void> {
  await transaction.run(insertOutcomes, [run.runKey]);
  await transaction.run(countInBatches, [run.runKey]);
  await settleOutcomes(transaction, run, now);
  await leaveFlight(transaction, run, "new_outcomes");
}

/**
 * Clears the in-flight marks of the actions whose sequences are in a temporary table. Where
 * another run is on its way too, the marks are computed anew from what is open.
 */
export async function leaveFlight(
  transaction: Transaction,
  run: RunRecord,
  table: string,
): Promise<void> {
  const { others } = await transaction.row<{ others: number }>(
    "SELECT count(*) AS others FROM runs WHERE ended_at IS NULL AND run_key <> $1",
    [run.runKey],
  );
  await transaction.run(
    `CREATE OR REPLACE TEMP TABLE leaving AS
     SELECT p.object_id, bit_or(1::BIGINT << p.target) AS targets
     FROM plan_actions AS p JOIN ${table} AS t USING (sequence)
     WHERE p.plan_key = $1 AND p.target IS NOT NULL GROUP BY p.object_id`,
    [run.planKey],
  );
  await transaction.run(others === 0 ? clearTargets : recomputeTargets);
}

const movingVerbs: ReadonlySet<Verb> = new Set(["promote", "demote", "evict"]);

function moves({ outcome, verb }: ActionOutcome): boolean {
  return outcome === "done" && movingVerbs.has(verb);
}

function ledgerEntry(run: RunRecord, outcome: ActionOutcome, now: Date): LedgerEntry {
  return {
    at: now,
    kind: "outcome",
    runId: run.runId,
    planCid: run.planCid,
    sequence: outcome.sequence,
    objectId: outcome.objectId,
    outcome: outcome.outcome,
    reason: outcome.code ?? outcome.message,
    detail: { message: outcome.message, ...(outcome.detail as object | undefined) },
  };
}

const insertOutcomes = `
  INSERT INTO outcomes
  SELECT $1, sequence, outcome::outcome, code, message, refused
  FROM new_outcomes ORDER BY sequence`;

const countInBatches = `
  UPDATE batches SET done = batches.done + n.done, skipped = batches.skipped + n.skipped,
    failed = batches.failed + n.failed, cancelled = batches.cancelled + n.cancelled,
    bytes_done = batches.bytes_done + CASE WHEN batches.target IS NULL THEN 0 ELSE n.bytes END,
    state = CASE
      WHEN batches.done + batches.skipped + batches.failed + batches.cancelled + n.ended
        = batches.past - batches.first THEN 'done'
      ELSE batches.state END
  FROM (
    SELECT batch, count(*) AS ended, count(*) FILTER (WHERE outcome = 'done') AS done,
      count(*) FILTER (WHERE outcome = 'skipped') AS skipped,
      count(*) FILTER (WHERE outcome = 'failed') AS failed,
      count(*) FILTER (WHERE outcome = 'cancelled') AS cancelled,
      coalesce(sum(size) FILTER (WHERE outcome = 'done'), 0)::BIGINT AS bytes
    FROM new_outcomes GROUP BY batch
  ) AS n
  WHERE batches.run_key = $1 AND batches.number = n.batch`;

/** What moved to another tier dwells there: policies ask when that was. */
const markMoved = `
  UPDATE objects SET moved = make_timestamp($1::BIGINT)
  WHERE object_id IN (SELECT object_id FROM new_outcomes WHERE moves)`;

const clearTargets = `
  UPDATE objects SET in_flight_mask = objects.in_flight_mask & ~l.targets
  FROM leaving AS l WHERE objects.object_id = l.object_id`;

/** An action's copy is on its way until it has an outcome or, once copied, a permit. */
const recomputeTargets = `
  UPDATE objects SET in_flight_mask = coalesce(f.targets, 0)
  FROM leaving AS l LEFT JOIN (
    SELECT p.object_id, bit_or(1::BIGINT << p.target) AS targets
    FROM plan_actions AS p SEMI JOIN leaving USING (object_id)
    JOIN runs AS r ON r.plan_key = p.plan_key AND r.ended_at IS NULL
    ANTI JOIN outcomes AS e ON e.run_key = r.run_key AND e.sequence = p.sequence
    ANTI JOIN permits AS m ON m.run_key = r.run_key AND m.sequence = p.sequence
    WHERE p.target IS NOT NULL GROUP BY p.object_id
  ) AS f USING (object_id)
  WHERE objects.object_id = l.object_id`;
