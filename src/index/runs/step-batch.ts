import { runRecord, type RunRecord } from "#index/runs/run-record.ts";
import type { Transaction } from "#index/transaction.ts";
import { EngineError } from "#model/engine-error.ts";
import type { CopyRequirement, Verb } from "#model/plan.ts";
import type { StepData } from "#model/run.ts";
import type { SqlRow } from "#model/sql.ts";

/** One action of a batch that has no outcome yet. */
export interface OpenAction extends SqlRow {
  readonly sequence: number;
  readonly verb: Verb;
  readonly object_id: number;
  readonly cid: Uint8Array;
  readonly size: number;
  readonly profile: string;
  readonly source: number | null;
  readonly target: number | null;
  readonly victim: number | null;
  readonly rule: string;
  readonly reason: string;
  readonly requirements: string | null;
  readonly held: boolean;
  readonly tombstoned: Date | null;
  /** A permit was issued for it: what the copy step did is recorded. */
  readonly permitted: boolean;
}

/** The batch a step belongs to, as the index has it. */
export interface StepBatch {
  readonly run: RunRecord;
  readonly number: number;
  /** Why it was cancelled; null when it was not. */
  readonly cancelReason: string | null;
  /** The actions without an outcome, by sequence. */
  readonly open: readonly OpenAction[];
}

/** Finds the batch of a step. A step that does not fit its batch is a defect and is refused. */
export async function stepBatch(transaction: Transaction, step: StepData): Promise<StepBatch> {
  const run = await runRecord(transaction.connection, step.runId);
  const [batch] = await transaction.rows<BatchRow>(
    "SELECT first, past, cancel_reason FROM batches WHERE run_key = $1 AND number = $2",
    [run.runKey, step.batch],
  );
  if (batch?.first !== step.from || batch.past !== step.to || run.planCid !== step.planCid) {
    throw new EngineError("INTERNAL", `run ${step.runId} has no batch ${step.batch} like this`);
  }
  const open = await transaction.rows<OpenAction>(openActions, [
    run.planKey,
    run.runKey,
    step.from,
    step.to,
  ]);
  return { run, number: step.batch, cancelReason: batch.cancel_reason, open };
}

interface BatchRow extends SqlRow {
  readonly first: number;
  readonly past: number;
  readonly cancel_reason: string | null;
}

/** What must remain after an action's removal. */
export function requirementsOf(action: OpenAction): readonly CopyRequirement[] {
  if (action.requirements === null) return [];
  return JSON.parse(action.requirements) as readonly CopyRequirement[];
}

const openActions = `
  SELECT p.* EXCLUDE (plan_key), o.cid, o.size, o.profile, o.held, o.tombstoned,
    p.sequence IN (FROM (SELECT m.sequence FROM permits AS m WHERE m.run_key = $2)) AS permitted
  FROM (
    FROM plan_actions WHERE plan_key = $1 AND sequence >= $3 AND sequence < $4
  ) AS p JOIN objects AS o USING (object_id)
  WHERE p.sequence NOT IN (
    SELECT e.sequence FROM outcomes AS e
    WHERE e.run_key = $2 AND e.sequence >= $3 AND e.sequence < $4)
  ORDER BY p.sequence`;
