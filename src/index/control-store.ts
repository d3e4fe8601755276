import { ApprovalStore } from "#index/approvals/approval-store.ts";
import type { Connection } from "#index/connection.ts";
import type { Database } from "#index/database.ts";
import { holdChosen } from "#index/holds.ts";
import { addPause, endPause, expiredPauses, listPauses, type PauseOrder } from "#index/pauses.ts";
import {
  batchesOf,
  cancelBatches,
  cancelObjects,
  cancelRanges,
  type ActionRange,
  pendingAbout,
} from "#index/runs/cancel-batches.ts";
import { actionsOf, openWork } from "#index/runs/open-work.ts";
import { runRecord } from "#index/runs/run-record.ts";
import { setRunState } from "#index/runs/run-state.ts";
import type { Transaction } from "#index/transaction.ts";
import { actAsEngine } from "#model/acting.ts";
import { type AffectedWork, type ControlTarget, type Pause, targetWords } from "#model/control.ts";
import { EngineError } from "#model/engine-error.ts";
import type { SqlRow, SqlStatement } from "#model/sql.ts";
import type { ActionStanding, OpenWork } from "#model/why.ts";

/** Orders of people about work under way and about many objects at once, as the index keeps them. */
export class ControlStore {
  /** Plans that wait for a person. */
  readonly approvals: ApprovalStore;
  readonly #database: Database;
  readonly #clockSkewMs: number;

  constructor(database: Database, clockSkewMs: number) {
    this.approvals = new ApprovalStore(database);
    this.#database = database;
    this.#clockSkewMs = clockSkewMs;
  }

  async pauses(): Promise<readonly Pause[]> {
    return await this.#database.read(listPauses);
  }

  async pause(target: ControlTarget, order: PauseOrder, now: Date): Promise<void> {
    await this.#database.write(async (transaction) => {
      if (target.scope === "run") await setRunState(transaction, target.name, "paused", now);
      await addPause(transaction, target, order, now);
    });
  }

  /** Tells whether the target was paused. */
  async resume(target: ControlTarget, order: PauseOrder, now: Date): Promise<boolean> {
    return await this.#database.write(
      async (transaction) => await resume(transaction, target, order, now),
    );
  }

  async endExpiredPauses(now: Date): Promise<void> {
    const order = { actor: "thermocline", reason: "its time is over" };
    await actAsEngine(
      async () =>
        await this.#database.write(async (transaction) => {
          for (const target of await expiredPauses(transaction, now)) {
            await resume(transaction, target, order, now);
          }
        }),
    );
  }

  /** Ends the open work of a run, policy or backend, or everything that is open. */
  async cancel(target: ControlTarget, order: PauseOrder, now: Date): Promise<void> {
    const why = order.reason === "" ? "" : `: ${order.reason}`;
    const reason = `${targetWords(target)} was cancelled by ${order.actor}${why}`;
    await this.#database.write(async (transaction) => {
      for (const runId of await openRuns(transaction.connection, target)) {
        if (target.scope === "policy" || target.scope === "backend") {
          const run = await runRecord(transaction.connection, runId);
          await cancelBatches(transaction, run, batchesOf(target), reason, now);
        } else await setRunState(transaction, runId, "cancelled", now, reason);
      }
      transaction.record({
        at: now,
        kind: "control",
        ...(target.scope === "run" ? { runId: target.name } : {}),
        reason: `cancelled ${targetWords(target)}`,
        detail: { ...target, ...order },
      });
    });
  }

  /** Ends pending actions about the objects that a condition selects; says how many. */
  async cancelObjects(
    target: ControlTarget,
    where: SqlStatement,
    order: PauseOrder,
    now: Date,
  ): Promise<number> {
    const reason = `the object was cancelled by ${order.actor}: ${order.reason}`;
    return await this.#database.write(async (transaction) => {
      await chooseObjects(transaction, where);
      let count = 0;
      for (const runId of await openRuns(transaction.connection, target)) {
        const run = await runRecord(transaction.connection, runId);
        count += await cancelObjects(transaction, run, batchesOf(target), reason, now);
      }
      return count;
    });
  }

  /**
   * Ends actions that were cancelled before, as the ledger tells an index that was restored, and
   * that are pending here; says how many.
   */
  async cancelRanges(runId: string, ranges: readonly ActionRange[], now: Date): Promise<number> {
    return await this.#database.write(async (transaction) => {
      const { connection } = transaction;
      const known = await connection.rows("SELECT 1 FROM runs WHERE run_id = $1", [runId]);
      if (known.length === 0) return 0;
      const run = await runRecord(connection, runId);
      return await cancelRanges(transaction, run, ranges, "cancelled, as the ledger says", now);
    });
  }

  /** How much open work a target is about. */
  async affected(target: ControlTarget): Promise<AffectedWork> {
    const choice = batchesOf(target);
    return await this.#database.read(
      async (connection) =>
        await connection.row<AffectedWork & SqlRow>(
          `SELECT count(DISTINCT b.run_key) AS runs,
             coalesce(sum(b.past - b.first - b.done - b.skipped - b.failed - b.cancelled), 0)::BIGINT
               AS actions,
             coalesce(sum(b.bytes - b.bytes_done), 0)::BIGINT AS bytes,
             count(*) FILTER (WHERE b.state = 'queued') AS queued
           FROM batches AS b JOIN runs AS r USING (run_key)
           WHERE r.ended_at IS NULL AND b.state <> 'done' AND ${choice.condition("$1")}
             AND ($2::VARCHAR IS NULL OR r.run_id = $2)`,
          [choice.parameter, target.scope === "run" ? target.name : null],
        ),
    );
  }

  /** How much of it is pending and about the objects that a condition selects. */
  async pendingAbout(target: ControlTarget, where: SqlStatement): Promise<AffectedWork> {
    return await this.#database.read(
      async (connection) => await pendingAbout(connection, target, where),
    );
  }

  /** Work of unfinished runs that was cancelled and that workers may still hold. */
  async cancelledWork(): Promise<readonly CancelledWork[]> {
    return await this.#database.read(
      async (connection) => await connection.rows<CancelledWork & SqlRow>(cancelledWork),
    );
  }

  async setPriority(runId: string, priority: number, now: Date): Promise<void> {
    await this.#database.write(async (transaction) => {
      const run = await runRecord(transaction.connection, runId);
      await transaction.run("UPDATE runs SET priority = $2 WHERE run_key = $1", [
        run.runKey,
        priority,
      ]);
      const reason = `priority is now ${priority}`;
      const about = { runId, planCid: run.planCid, detail: { priority } };
      transaction.record({ at: now, kind: "control", reason, ...about });
    });
  }

  /** Puts into the ledger what was ordered and changes nothing in the index. */
  async record(reason: string, detail: object, now: Date): Promise<void> {
    await this.#database.write((transaction) => {
      transaction.record({ at: now, kind: "control", reason, detail });
      return Promise.resolve();
    });
  }

  /** What is left of a run, or of all, by what its batches have in common. */
  async openWork(runId?: string): Promise<readonly OpenWork[]> {
    return await this.#database.read(
      async (connection) => await openWork(connection, runId, this.#clockSkewMs),
    );
  }

  /** The actions about an object in runs, the newest first. */
  async actionsOf(objectId: number): Promise<readonly ActionStanding[]> {
    return await this.#database.read(async (connection) => await actionsOf(connection, objectId));
  }

  /** Holds, or releases, every object that a condition over `object AS o` selects. */
  async holdObjects(
    where: SqlStatement,
    held: boolean,
    reason: string,
    now: Date,
  ): Promise<number> {
    return await this.#database.write(async (transaction) => {
      await chooseObjects(transaction, where);
      return await holdChosen(transaction, held, reason, now);
    });
  }

  /** How many objects a condition selects, and their bytes. */
  async countObjects(where: SqlStatement): Promise<{ objects: number; bytes: number }> {
    return await this.#database.read(
      async (connection) =>
        await connection.row(
          `SELECT count(*) AS objects, coalesce(sum(o.size), 0)::BIGINT AS bytes
           FROM object AS o WHERE ${where.text}`,
          where.parameters,
        ),
    );
  }
}

/** What the batches of a cancelled group have in common. */
export interface CancelledWork {
  readonly runId: string;
  readonly policy: string;
  readonly verb: string;
  readonly source: string | null;
  readonly target: string | null;
  readonly victim: string | null;
  readonly reason: string;
}

async function resume(
  transaction: Transaction,
  target: ControlTarget,
  order: PauseOrder,
  now: Date,
): Promise<boolean> {
  const wasPaused = await endPause(transaction, target, order, now);
  if (target.scope !== "run") return wasPaused;
  const run = await runRecord(transaction.connection, target.name);
  await setRunState(transaction, target.name, "running", now);
  return wasPaused || run.state === "paused";
}

async function openRuns(
  connection: Connection,
  { scope, name }: ControlTarget,
): Promise<readonly string[]> {
  if (scope === "node") {
    throw new EngineError("NOT_SUPPORTED", "work is not cancelled by node, since others take it", {
      hint: `keep the node away from work: thermocline pause --node ${name}`,
    });
  }
  if (scope === "run") return [(await runRecord(connection, name)).runId];
  const rows = await connection.rows<{ run_id: string }>(
    `SELECT run_id FROM runs WHERE state IN ('running', 'paused', 'awaiting-approval') AND ended_at IS NULL
     ORDER BY run_key`,
  );
  return rows.map((row) => row.run_id);
}

async function chooseObjects(transaction: Transaction, where: SqlStatement): Promise<void> {
  await transaction.run(
    `CREATE OR REPLACE TEMP TABLE chosen_objects AS
     SELECT o.object_id FROM object AS o WHERE ${where.text}`,
    where.parameters,
  );
}

const cancelledWork = `
  SELECT DISTINCT r.run_id AS "runId", b.policy, b.verb, s.name AS source, t.name AS target,
    v.name AS victim, b.cancel_reason AS reason
  FROM batches AS b JOIN runs AS r USING (run_key)
  LEFT JOIN backends AS s ON s.backend_id = b.source
  LEFT JOIN backends AS t ON t.backend_id = b.target
  LEFT JOIN backends AS v ON v.backend_id = b.victim
  WHERE b.state = 'queued' AND b.cancel_reason IS NOT NULL AND r.ended_at IS NULL`;
