import { micros } from "#index/connection.ts";
import type { RunRecord } from "#index/runs/run-record.ts";
import type { Transaction } from "#index/transaction.ts";

/**
 * Settles the copies of these actions apart from the removals that follow them: a copy is paid for
 * even if its source then stays. One that was found there already may be the work of an attempt
 * that nobody heard of again, so it is paid as well.
 */
export async function settleCopies(
  transaction: Transaction,
  run: RunRecord,
  sequences: readonly number[],
  now: Date,
): Promise<void> {
  if (sequences.length === 0 || !(await hasReserved(transaction, run))) return;
  await transaction.stage(
    "settled_copies",
    { sequence: "BIGINT" },
    sequences.map((sequence) => [sequence]),
  );
  await transaction.run(
    `CREATE OR REPLACE TEMP TABLE ended_costs AS
     SELECT a.policy, sum(a.copying) AS reserved, sum(a.copying) AS paid
     FROM settled_copies AS n JOIN action_costs AS a ON a.run_key = $1 AND a.sequence = n.sequence
     GROUP BY a.policy`,
    [run.runKey],
  );
  await transaction.run(
    `UPDATE action_costs SET copying = 0
     WHERE run_key = $1 AND sequence IN (SELECT sequence FROM settled_copies)`,
    [run.runKey],
  );
  await settle(transaction, run, now);
}

/** Settles what ended as the temporary table `new_outcomes` says: done is paid, the rest freed. */
export async function settleOutcomes(
  transaction: Transaction,
  run: RunRecord,
  now: Date,
): Promise<void> {
  if (!(await hasReserved(transaction, run))) return;
  await transaction.run(
    `CREATE OR REPLACE TEMP TABLE ended_costs AS
     SELECT a.policy, sum(a.copying + a.removing) AS reserved,
       coalesce(sum(a.copying + a.removing) FILTER (n.outcome = 'done'), 0) AS paid
     FROM new_outcomes AS n JOIN action_costs AS a ON a.run_key = $1 AND a.sequence = n.sequence
     GROUP BY a.policy`,
    [run.runKey],
  );
  await settle(transaction, run, now);
}

/** Forgets what was reserved for the runs in the temporary table `ended_runs`. */
export async function forgetReserved(transaction: Transaction): Promise<void> {
  for (const table of ["action_costs", "reserved_costs"]) {
    await transaction.run(`DELETE FROM ${table} WHERE run_key IN (SELECT run_key FROM ended_runs)`);
  }
}

async function hasReserved(transaction: Transaction, { runKey }: RunRecord): Promise<boolean> {
  const rows = await transaction.rows(
    "SELECT 1 FROM reserved_costs WHERE run_key = $1 AND amount > 0 LIMIT 1",
    [runKey],
  );
  return rows.length > 0;
}

/** Takes from what is reserved, and adds to the day, what the table `ended_costs` says. */
async function settle(transaction: Transaction, { runKey }: RunRecord, now: Date): Promise<void> {
  await transaction.run(
    `UPDATE reserved_costs SET amount = reserved_costs.amount - c.reserved
     FROM ended_costs AS c
     WHERE reserved_costs.run_key = $1 AND reserved_costs.policy = c.policy`,
    [runKey],
  );
  const day = "make_timestamp($1::BIGINT)::DATE";
  await transaction.run(
    `INSERT INTO settled_costs
     SELECT policy, ${day}, 0 FROM ended_costs WHERE paid > 0 AND policy NOT IN (
       SELECT policy FROM settled_costs WHERE day = ${day}) ORDER BY policy`,
    [micros(now)],
  );
  await transaction.run(
    `UPDATE settled_costs SET amount = settled_costs.amount + c.paid FROM ended_costs AS c
     WHERE settled_costs.policy = c.policy AND settled_costs.day = ${day}`,
    [micros(now)],
  );
}
