import type { Connection } from "#index/connection.ts";
import type { ErrorCode } from "#model/engine-error.ts";
import { EngineError } from "#model/engine-error.ts";
import type { Run, RunProgress, RunState } from "#model/run.ts";
import type { SqlRow } from "#model/sql.ts";

/** A run as its row says, for those that write. */
export interface RunRecord {
  readonly runKey: number;
  readonly runId: string;
  readonly planKey: number;
  readonly planCid: string;
  readonly state: RunState;
  readonly createdAt: Date;
  readonly ended: boolean;
}

/** The row of a run. Throws NOT_FOUND. */
export async function runRecord(connection: Connection, runId: string): Promise<RunRecord> {
  const [row] = await connection.rows<RunRow>("SELECT * FROM runs WHERE run_id = $1", [runId]);
  if (row !== undefined) {
    return {
      runKey: row.run_key,
      runId: row.run_id,
      planKey: row.plan_key,
      planCid: row.plan_cid,
      state: row.state,
      createdAt: row.created_at,
      ended: row.ended_at !== null,
    };
  }
  throw new EngineError("NOT_FOUND", `there is no run "${runId}"`, {
    hint: "list the runs to see their names",
  });
}

/** Runs with their progress, newest first; one of them, or all. */
export async function readRuns(connection: Connection, runId?: string): Promise<readonly Run[]> {
  const rows = await connection.rows<RunRow & ProgressRow>(
    `SELECT r.*, sum(b.past - b.first)::BIGINT AS actions, sum(b.done)::BIGINT AS done,
       sum(b.skipped)::BIGINT AS skipped, sum(b.failed)::BIGINT AS failed,
       sum(b.cancelled)::BIGINT AS cancelled, sum(b.bytes)::BIGINT AS bytes,
       sum(b.bytes_done)::BIGINT AS bytes_done, any_value(a.actions) AS asked_actions,
       any_value(a.bytes) AS asked_bytes
     FROM runs AS r LEFT JOIN batches AS b USING (run_key)
     LEFT JOIN approvals AS a ON a.run_id = r.run_id
     WHERE $1::VARCHAR IS NULL OR r.run_id = $1
     GROUP BY ALL ORDER BY r.run_key DESC`,
    [runId ?? null],
  );
  const failed = rows.filter((row) => (row.failed ?? 0) > 0).map((row) => row.run_key);
  const causes = await failureCauses(connection, failed);
  return rows.map((row) => ({
    id: row.run_id,
    planCid: row.plan_cid,
    state: row.state,
    priority: row.priority,
    origin: row.origin,
    createdAt: row.created_at.toISOString(),
    endedAt: row.ended_at?.toISOString(),
    progress: progressOf(row, causes.get(row.run_key) ?? []),
  }));
}

interface RunRow extends SqlRow {
  readonly run_key: number;
  readonly run_id: string;
  readonly plan_key: number;
  readonly plan_cid: string;
  readonly state: RunState;
  readonly created_at: Date;
  readonly ended_at: Date | null;
  readonly priority: number;
  readonly origin: string;
}

interface ProgressRow extends SqlRow {
  readonly actions: number | null;
  readonly done: number | null;
  readonly skipped: number | null;
  readonly failed: number | null;
  readonly cancelled: number | null;
  readonly bytes: number | null;
  readonly bytes_done: number | null;
  /** Of a plan that waits, or waited, for approval. */
  readonly asked_actions: number | null;
  readonly asked_bytes: number | null;
}

type Cause = RunProgress["causes"][number];

const causesMax = 10;

function progressOf(row: RunRow & ProgressRow, causes: readonly Cause[]): RunProgress {
  // A run that never began has no batches: all of its plan is to come, or was given up.
  const hasBegun = row.actions !== null;
  const actions = row.actions ?? row.asked_actions ?? 0;
  const done = row.done ?? 0;
  const skipped = row.skipped ?? 0;
  const failed = row.failed ?? 0;
  const isGivenUp = !hasBegun && row.ended_at !== null;
  const cancelled = isGivenUp ? actions : (row.cancelled ?? 0);
  return {
    actions,
    done,
    skipped,
    failed,
    cancelled,
    remaining: actions - done - skipped - failed - cancelled,
    bytes: row.bytes ?? row.asked_bytes ?? 0,
    bytesDone: row.bytes_done ?? 0,
    causes,
  };
}

async function failureCauses(
  connection: Connection,
  runKeys: readonly number[],
): Promise<ReadonlyMap<number, readonly Cause[]>> {
  const causes = new Map<number, readonly Cause[]>();
  for (const runKey of runKeys) {
    const rows = await connection.rows<{ code: ErrorCode; count: number; example: string }>(
      `SELECT code, count(*) AS count, min_by(message, sequence) AS example FROM outcomes
       WHERE run_key = $1 AND outcome = 'failed'
       GROUP BY code ORDER BY count(*) DESC, code LIMIT ${causesMax}`,
      [runKey],
    );
    causes.set(runKey, rows);
  }
  return causes;
}
