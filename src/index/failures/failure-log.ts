import { type Connection, micros } from "#index/connection.ts";
import type { Database } from "#index/database.ts";
import { type FailureSelection, readCauses, readFailures } from "#index/failures/read-failures.ts";
import {
  countRepairs,
  decideRepairs,
  dueRepairs,
  readRepairs,
  type RepairDecision,
  type RepairNews,
  repairRuns,
} from "#index/failures/repair-log.ts";
import { type Forgetting, forgetFailures } from "#index/failures/forget-failures.ts";
import type { Transaction } from "#index/transaction.ts";
import type { Failure, FailureCause, FailureLimits, Repair, Suspension } from "#model/failure.ts";

/** What failed, what was left out or stopped because of it, and how that ends. */
export class FailureLog {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Makes the limits that count from now on equal to those of the policies. */
  async setLimits(limits: readonly FailureLimits[]): Promise<void> {
    const wanted = limits.map((limit) => [
      limit.policy,
      limit.quarantineAfter,
      limit.suspendAt,
      limit.minimum,
    ]);
    const known = await this.#database.read((connection) => readLimits(connection));
    if (JSON.stringify(known) === JSON.stringify(limits.toSorted(byPolicy))) return;
    await this.#database.write(async (transaction) => {
      transaction.keepVersion();
      await transaction.run("DELETE FROM failure_limits");
      await transaction.stage(
        "new_limits",
        { policy: "VARCHAR", quarantine_after: "BIGINT", suspend_at: "DOUBLE", minimum: "BIGINT" },
        wanted,
      );
      await transaction.run("INSERT INTO failure_limits FROM new_limits");
    });
  }

  /** Failures that were not followed by a success, the latest first. */
  async failures(
    selection: FailureSelection,
    page: { readonly offset: number; readonly limit: number },
  ): Promise<readonly Failure[]> {
    return await this.#database.read((connection) => readFailures(connection, selection, page));
  }

  /** The same failures counted by cause, the most frequent first. */
  async causes(selection: FailureSelection): Promise<readonly Omit<FailureCause, "remedy">[]> {
    return await this.#database.read((connection) => readCauses(connection, selection));
  }

  /** Lets plans try again what the selection names; says how many quarantines ended. */
  async releaseQuarantine(selection: FailureSelection, reason: string, now: Date): Promise<number> {
    return await this.#forget({ ...selection, quarantined: true }, "released", reason, now);
  }

  /** Takes failures off the list, quarantined or not; says how many. */
  async dismiss(selection: FailureSelection, reason: string, now: Date): Promise<number> {
    return await this.#forget(selection, "dismissed", reason, now);
  }

  /** Policies that are suspended, the longest first. */
  async suspensions(): Promise<readonly Suspension[]> {
    return await this.#database.read((connection) => readSuspensions(connection));
  }

  /** Suspends a policy that a lost index had suspended, unless it is. */
  async suspendAgain(policy: string, message: string, now: Date): Promise<void> {
    await this.#database.write(async (transaction) => {
      const added = await transaction.run(
        `INSERT INTO suspensions SELECT $1, make_timestamp($2::BIGINT), 0, 0, $3
         WHERE NOT EXISTS (FROM suspensions WHERE policy = $1)`,
        [policy, micros(now), message],
      );
      if (added === 0) return;
      const detail = { policy, failed: 0, outcomes: 0, message };
      transaction.record({ at: now, kind: "suspension", outcome: "done", reason: policy, detail });
    });
  }

  /** Ends a suspension; its policy's outcomes are counted anew. Says whether there was one. */
  async releaseSuspension(policy: string, reason: string, now: Date): Promise<boolean> {
    return await this.#database.write((transaction) =>
      endSuspension(transaction, policy, reason, now),
    );
  }

  /** Copies that checks found absent or corrupt and that are not made good yet. */
  async repairs(limit: number): Promise<readonly Repair[]> {
    return await this.#database.read((connection) => readRepairs(connection, limit));
  }

  /** Objects with open repairs, and those among them that have no intact copy left. */
  async countRepairs(): Promise<{ readonly open: number; readonly lost: number }> {
    return await this.#database.read(countRepairs);
  }

  /** Objects whose repair is to be looked at now, the longest open first. */
  async dueRepairs(now: Date, limit: number): Promise<readonly number[]> {
    return await this.#database.read((connection) => dueRepairs(connection, now, limit));
  }

  /** Runs of repairs that have not ended. */
  async repairRuns(): Promise<readonly string[]> {
    return await this.#database.read(repairRuns);
  }

  /** Records what a look at due repairs came to; answers what is news. */
  async decideRepairs(
    decisions: readonly RepairDecision[],
    now: Date,
  ): Promise<readonly RepairNews[]> {
    if (decisions.length === 0) return [];
    return await this.#database.write(async (transaction) => {
      transaction.keepVersion();
      return await decideRepairs(transaction, decisions, now);
    });
  }

  async #forget(
    selection: FailureSelection,
    how: Forgetting,
    reason: string,
    now: Date,
  ): Promise<number> {
    return await this.#database.write((transaction) =>
      forgetFailures(transaction, selection, how, reason, now),
    );
  }

  /** How many failures stand, and how many of them are quarantined. */
  async counts(): Promise<{ readonly failing: number; readonly quarantined: number }> {
    return await this.#database.read((connection) =>
      connection.row<{ failing: number; quarantined: number }>(
        "SELECT count(*) AS failing, count(quarantined_at) AS quarantined FROM failing_actions",
      ),
    );
  }
}

function byPolicy(a: FailureLimits, b: FailureLimits): number {
  return a.policy < b.policy ? -1 : 1;
}

async function readLimits(connection: Connection): Promise<readonly FailureLimits[]> {
  const rows = await connection.rows<{
    policy: string;
    quarantine_after: number;
    suspend_at: number | null;
    minimum: number;
  }>("FROM failure_limits ORDER BY policy");
  return rows.map((row) => ({
    policy: row.policy,
    quarantineAfter: row.quarantine_after,
    suspendAt: row.suspend_at ?? undefined,
    minimum: row.minimum,
  }));
}

async function readSuspensions(connection: Connection): Promise<readonly Suspension[]> {
  const rows = await connection.rows<{
    policy: string;
    since: Date;
    failed: number;
    outcomes: number;
    message: string;
  }>("FROM suspensions ORDER BY since, policy");
  return rows.map((row) => ({ ...row, since: row.since.toISOString() }));
}

async function endSuspension(
  transaction: Transaction,
  policy: string,
  reason: string,
  now: Date,
): Promise<boolean> {
  const [suspension] = await transaction.rows<{ since: Date }>(
    "SELECT since FROM suspensions WHERE policy = $1",
    [policy],
  );
  if (suspension === undefined) return false;
  await transaction.run("DELETE FROM suspensions WHERE policy = $1", [policy]);
  await transaction.run("DELETE FROM outcome_windows WHERE policy = $1", [policy]);
  transaction.record({
    at: now,
    kind: "suspension",
    outcome: "cancelled",
    reason: policy,
    detail: { policy, released: reason, since: suspension.since.toISOString() },
  });
  return true;
}
