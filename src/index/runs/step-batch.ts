import { runRecord, type RunRecord } from "#index/runs/run-record.ts";
import type { Transaction } from "#index/transaction.ts";
import { EngineError } from "#model/engine-error.ts";
import type { CopyRequirement, Verb } from "#model/plan.ts";
import type { StepData } from "#model/run.ts";
import type { SqlRow } from "#model/sql.ts";

/** One action of a batch that has no outcome yet. */
export interface OpenAction extends SqlRow {
  readonly sequence: number;
  readonly batch: number;
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
  /** A permit is issued for it: what the copy step did is recorded. */
  readonly permitted: boolean;
  /** A permit for it ran out before it was used. */
  readonly expired: boolean;
}

/** The batch a step belongs to, as the index has it. */
export interface StepBatch {
  readonly step: StepData;
  readonly victim: number | null;
  /** Why it was cancelled; null when it was not. */
  readonly cancelReason: string | null;
  /** The actions without an outcome, by sequence. */
  readonly open: readonly OpenAction[];
}

/** Finds the batches of steps of one run, no two the same, with what is open of each. */
export async function stepBatches(
  transaction: Transaction,
  steps: readonly [StepData, ...(readonly StepData[])],
): Promise<{ readonly run: RunRecord; readonly batches: readonly StepBatch[] }> {
  const run = await runRecord(transaction.connection, steps[0].runId);
  const found = await batchRows(transaction, run, steps);
  const open = await openOf(transaction, run, [...found.values()]);
  const batches = steps.map((step) => {
    const { victim, cancel_reason: cancelReason } = fitting(step, run, found);
    const mine = open.filter(({ batch }) => batch === step.batch);
    return { step, victim, cancelReason, open: mine };
  });
  return { run, batches };
}

/** The run of a step. A step that does not fit its batch is a defect and is refused. */
export async function runOfStep(transaction: Transaction, step: StepData): Promise<RunRecord> {
  const run = await runRecord(transaction.connection, step.runId);
  fitting(step, run, await batchRows(transaction, run, [step]));
  return run;
}

async function batchRows(
  transaction: Transaction,
  run: RunRecord,
  steps: readonly StepData[],
): Promise<ReadonlyMap<number, BatchRow>> {
  const rows = await transaction.rows<BatchRow>(
    `SELECT number, first, past, victim, cancel_reason,
       done + skipped + failed + cancelled AS ended FROM batches
     WHERE run_key = $1 AND number IN (SELECT unnest($2::JSON::BIGINT[]))`,
    [run.runKey, JSON.stringify(steps.map(({ batch }) => batch))],
  );
  return new Map(rows.map((row) => [row.number, row]));
}

interface BatchRow extends SqlRow {
  readonly number: number;
  readonly first: number;
  readonly past: number;
  readonly victim: number | null;
  readonly cancel_reason: string | null;
  /** How many of its actions have an outcome. */
  readonly ended: number;
}

function fitting(step: StepData, run: RunRecord, found: ReadonlyMap<number, BatchRow>): BatchRow {
  const batch = found.get(step.batch);
  const fits =
    batch?.first === step.from &&
    batch.past === step.to &&
    run.runId === step.runId &&
    run.planCid === step.planCid;
  if (fits) return batch;
  throw new EngineError("INTERNAL", `run ${step.runId} has no batch ${step.batch} like this`);
}

/** What must remain after an action's removal. */
export function requirementsOf(action: OpenAction): readonly CopyRequirement[] {
  if (action.requirements === null) return [];
  return JSON.parse(action.requirements) as readonly CopyRequirement[];
}

/**
 * Batches are read by their ranges, those that follow each other by one, so that only their rows
 * are looked at. The limits take nothing away: they tell DuckDB that these are few among all
 * objects. Outcomes and permits, of which a long run has millions, are read only where there may
 * be some.
 */
async function openOf(
  transaction: Transaction,
  run: RunRecord,
  batches: readonly BatchRow[],
): Promise<readonly OpenAction[]> {
  if (batches.length === 0) return [];
  const first = Math.min(...batches.map((batch) => batch.first));
  const past = Math.max(...batches.map((batch) => batch.past));
  const begun = batches.some(({ ended }) => ended > 0);
  const removing = batches.some(({ victim }) => victim !== null);
  return await transaction.rows<OpenAction>(
    `SELECT p.*, o.cid, o.size, o.profile, o.held, o.tombstoned,
       ${removing ? known("permits", "state <> 'ended'") : "FALSE"} AS permitted,
       ${removing ? known("permits", "state = 'ended'") : "FALSE"} AS expired
     FROM (${stretches(batches).map(actionsOf).join(" UNION ALL ")}) AS p
     JOIN objects AS o USING (object_id)
     WHERE ${begun ? `NOT ${known("outcomes")}` : "TRUE"} ORDER BY p.sequence`,
    begun || removing ? [run.planKey, run.runKey, first, past] : [run.planKey],
  );
}

/** A condition: the table has something like that about the action, in this run. */
function known(table: string, such = "TRUE"): string {
  return `p.sequence IN (SELECT sequence FROM ${table}
    WHERE run_key = $2 AND sequence >= $3 AND sequence < $4 AND ${such})`;
}

/** Batches that follow each other without a gap, as those of one target mostly do. */
type Stretch = readonly [BatchRow, ...(readonly BatchRow[])];

function stretches(batches: readonly BatchRow[]): readonly Stretch[] {
  const found: [BatchRow, ...BatchRow[]][] = [];
  for (const batch of batches.toSorted((a, b) => a.first - b.first)) {
    const last = found.at(-1);
    if (last?.at(-1)?.past === batch.first) last.push(batch);
    else found.push([batch]);
  }
  return found;
}

function actionsOf(stretch: Stretch): string {
  const [{ first }] = stretch;
  const { number, past } = stretch.at(-1) ?? stretch[0];
  const earlier = stretch
    .slice(0, -1)
    .map((one) => `WHEN sequence < ${one.past} THEN ${one.number}`);
  const batch = earlier.length === 0 ? `${number}` : `CASE ${earlier.join(" ")} ELSE ${number} END`;
  return `(SELECT (${batch})::BIGINT AS batch, sequence, verb, object_id, source, target, victim, rule,
      reason, requirements
    FROM plan_actions
    WHERE plan_key = $1 AND sequence >= ${first} AND sequence < ${past} LIMIT ${past - first})`;
}
