import { cidText } from "#index/cid-key.ts";
import type { Connection } from "#index/connection.ts";
import { micros } from "#index/connection.ts";
import type { Transaction } from "#index/transaction.ts";
import type { Repair } from "#model/failure.ts";
import type { SqlRow } from "#model/sql.ts";

/** A repair that did not help is tried again after this long, then twice as long, and so on. */
const retryAfterMs = 30_000;
const retryDoublingsMax = 4;

/** Opens a repair for each copy in the temporary table `lost_copies`, unless one is open. */
export async function openRepairs(transaction: Transaction, now: Date): Promise<void> {
  await transaction.run(
    `INSERT INTO repairs
     SELECT l.object_id, l.backend_id, l.state::copy_state, make_timestamp($1::BIGINT), NULL, 0,
       make_timestamp($1::BIGINT), NULL
     FROM lost_copies AS l ANTI JOIN repairs USING (object_id, backend_id)`,
    [micros(now)],
  );
}

/** Open repairs, the longest open first. */
export async function readRepairs(
  connection: Connection,
  limit: number,
): Promise<readonly Repair[]> {
  const rows = await connection.rows<RepairRow>(
    `SELECT r.*, o.cid, o.path, b.name AS backend, bit_count(o.present_mask)::INTEGER AS copies
     FROM repairs AS r JOIN objects AS o USING (object_id) JOIN backends AS b USING (backend_id)
     ORDER BY r.opened_at, r.object_id, r.backend_id LIMIT $1`,
    [limit],
  );
  return rows.map((row) => ({
    objectId: row.object_id,
    cid: cidText(row.cid),
    path: row.path ?? undefined,
    backend: row.backend,
    found: row.found,
    openedAt: row.opened_at.toISOString(),
    run: row.run_id ?? undefined,
    tries: row.tries,
    copies: row.copies,
    message: row.message ?? undefined,
  }));
}

/** How many objects wait for a repair, and how many of them have no intact copy left. */
export async function countRepairs(
  connection: Connection,
): Promise<{ readonly open: number; readonly lost: number }> {
  return await connection.row<{ open: number; lost: number }>(
    `SELECT count(DISTINCT r.object_id) AS open,
       count(DISTINCT r.object_id) FILTER (WHERE o.present_mask = 0) AS lost
     FROM repairs AS r JOIN objects AS o USING (object_id)`,
  );
}

/** Objects whose repair is to be looked at now: not being worked on, and not just tried. */
export async function dueRepairs(
  connection: Connection,
  now: Date,
  limit: number,
): Promise<readonly number[]> {
  const rows = await connection.rows<{ object_id: number }>(
    `SELECT object_id FROM repairs AS r
     WHERE object_id NOT IN (
       SELECT object_id FROM repairs WHERE run_id IN (
         SELECT run_id FROM runs WHERE ended_at IS NULL))
     GROUP BY object_id HAVING min(next_at) <= make_timestamp($1::BIGINT)
     ORDER BY min(opened_at), object_id LIMIT $2`,
    [micros(now), limit],
  );
  return rows.map((row) => row.object_id);
}

/** What a look at the open repairs came to, by object. */
export interface RepairDecision {
  readonly objectId: number;
  /**
   * `closed`: what is required is there; `started`: a run restores it; `waiting`: another run
   * does; `blocked`: nothing can; `lost`: nothing ever can, no intact copy is left.
   */
  readonly decision: "closed" | "started" | "waiting" | "blocked" | "lost";
  readonly runId?: string;
  readonly message?: string;
}

/** What was said of an object for the first time. */
export interface RepairNews {
  readonly objectId: number;
  readonly lost: boolean;
  readonly message: string;
}

/**
 * Records what was decided, and in the ledger what ended or became hopeless. Answers what is
 * news about objects whose repair cannot go on.
 */
export async function decideRepairs(
  transaction: Transaction,
  decisions: readonly RepairDecision[],
  now: Date,
): Promise<readonly RepairNews[]> {
  await transaction.stage(
    "repair_decisions",
    { object_id: "BIGINT", decision: "VARCHAR", run_id: "VARCHAR", message: "VARCHAR" },
    decisions.map(({ objectId, decision, runId, message }) => [objectId, decision, runId, message]),
  );
  const told = await transaction.rows<{ object_id: number; decision: string; message: string }>(
    `SELECT DISTINCT d.object_id, d.decision, d.message
     FROM repair_decisions AS d JOIN repairs AS r USING (object_id)
     WHERE d.decision = 'closed'
       OR (d.decision IN ('blocked', 'lost') AND d.message IS DISTINCT FROM r.message)
     ORDER BY d.object_id`,
  );
  for (const { object_id: objectId, decision, message } of told) {
    transaction.record({
      at: now,
      kind: "repair",
      objectId,
      reason: decision,
      ...(message === null ? {} : { detail: { message } }),
    });
  }
  await transaction.run(
    `DELETE FROM repairs WHERE object_id IN (
       SELECT object_id FROM repair_decisions WHERE decision = 'closed')`,
  );
  await transaction.run(noteDecisions, [micros(now)]);
  return told
    .filter(({ decision }) => decision !== "closed")
    .map(({ object_id: objectId, decision, message }) => {
      return { objectId, lost: decision === "lost", message };
    });
}

/** Repairs whose run has ended well are looked at again at once: nothing is left to be done. */
export async function recheckRepairs(
  transaction: Transaction,
  endedRuns: readonly string[],
  now: Date,
): Promise<void> {
  for (const runId of endedRuns) {
    await transaction.run(
      `UPDATE repairs SET next_at = make_timestamp($2::BIGINT)
       WHERE run_id = $1 AND EXISTS (FROM runs WHERE run_id = $1 AND state = 'completed')`,
      [runId, micros(now)],
    );
  }
}

/** Runs of repairs that have not ended. */
export async function repairRuns(connection: Connection): Promise<readonly string[]> {
  const rows = await connection.rows<{ run_id: string }>(
    "SELECT run_id FROM runs WHERE ended_at IS NULL AND origin = 'repair' ORDER BY run_key",
  );
  return rows.map((row) => row.run_id);
}

const noteDecisions = `
  UPDATE repairs SET
    run_id = coalesce(d.run_id, repairs.run_id), message = d.message,
    tries = repairs.tries + CASE WHEN d.decision = 'waiting' THEN 0 ELSE 1 END,
    next_at = make_timestamp($1::BIGINT + ${retryAfterMs}::BIGINT * 1000
      * (1::BIGINT << least(repairs.tries, ${retryDoublingsMax})::INTEGER))
  FROM repair_decisions AS d WHERE repairs.object_id = d.object_id`;

interface RepairRow extends SqlRow {
  readonly object_id: number;
  readonly cid: Uint8Array;
  readonly path: string | null;
  readonly backend: string;
  readonly found: "lost" | "corrupt";
  readonly opened_at: Date;
  readonly run_id: string | null;
  readonly tries: number;
  readonly copies: number;
  readonly message: string | null;
}
