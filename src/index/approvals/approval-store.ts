import { type Connection, micros } from "#index/connection.ts";
import type { Database } from "#index/database.ts";
import { addRun, fillRun, startedRun } from "#index/runs/begin-run.ts";
import { runRecord } from "#index/runs/run-record.ts";
import type { Transaction } from "#index/transaction.ts";
import { actAsEngine } from "#model/acting.ts";
import { type Approval, type ApprovalState, changeDigest, type Decision } from "#model/approval.ts";
import { EngineError } from "#model/engine-error.ts";
import type { Plan } from "#model/plan.ts";
import type { Run, RunStart } from "#model/run.ts";
import type { SqlRow } from "#model/sql.ts";

/** Approvals that are kept for looking back. */
const shownMax = 1_000;

/** What is known of a request when it is made; the rest comes from its plan. */
export interface ApprovalRequest {
  readonly author: string;
  readonly expiresAt: Date;
  readonly start: RunStart;
}

/** Plans that wait for approval, and what became of them. Every step is in the ledger. */
export class ApprovalStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The newest first. */
  async all(): Promise<readonly Approval[]> {
    return await this.#database.read((connection) => readApprovals(connection, "true"));
  }

  /**
   * Makes a run that begins once it is approved. The same change of the same origin is asked for
   * once; another one takes its place.
   */
  async request(plan: Plan, now: Date, request: ApprovalRequest): Promise<Run> {
    return await this.#database.write(async (transaction) => {
      transaction.keepVersion();
      const origin = request.start.origin ?? "apply";
      const digest = changeDigest(plan);
      const open = await readApprovals(transaction.connection, "state = 'awaiting'");
      for (const other of open.filter((one) => one.origin === origin)) {
        if (other.changeDigest === digest) return await startedRun(transaction, other.runId);
        if (origin === "apply") continue;
        await end(transaction, other, "superseded", "a later plan takes its place", now);
      }
      const { runId } = await addRun(transaction, plan, now, request.start, "awaiting-approval");
      const approval = requested(runId, plan, now, { ...request, origin });
      await put(transaction, approval);
      note(transaction, approval, "requested", now, { terms: approval.terms });
      return await startedRun(transaction, runId);
    });
  }

  /** Adds a decision that leaves others to be made. */
  async decided(approval: Approval, decision: Decision, now: Date): Promise<void> {
    await this.#database.write(async (transaction) => {
      transaction.keepVersion();
      const current = await awaiting(transaction, approval.runId);
      await put(transaction, { ...current, decisions: [...current.decisions, decision] });
      note(transaction, current, "approved", now, decision);
    });
  }

  /** The last decision: the run begins with what of the plan still fits. */
  async begin(approval: Approval, decision: Decision, plan: Plan, now: Date): Promise<Run> {
    return await this.#database.write(async (transaction) => {
      const current = await awaiting(transaction, approval.runId);
      const decisions = [...current.decisions, decision];
      await put(transaction, { ...current, state: "approved", decisions, planCid: plan.cid });
      note(transaction, current, "approved", now, decision);
      const { runKey, planKey } = await runRecord(transaction.connection, current.runId);
      await transaction.run("UPDATE runs SET state = 'running', plan_cid = $2 WHERE run_key = $1", [
        runKey,
        plan.cid,
      ]);
      const start = { origin: current.origin, override: current.override };
      await fillRun(transaction, { runKey, planKey, runId: current.runId }, plan, now, start);
      return await startedRun(transaction, current.runId);
    });
  }

  async reject(approval: Approval, decision: Decision, now: Date): Promise<Run> {
    return await this.#database.write(async (transaction) => {
      transaction.keepVersion();
      const current = await awaiting(transaction, approval.runId);
      const rejected = { ...current, decisions: [...current.decisions, decision] };
      await end(transaction, rejected, "rejected", decision.reason, now, decision);
      return await startedRun(transaction, current.runId);
    });
  }

  /** Ends what waited too long, or was cancelled as a run; says how many. */
  async expire(now: Date): Promise<number> {
    const over = await this.#database.read((connection) => readApprovals(connection, overdue(now)));
    if (over.length === 0) return 0;
    await actAsEngine(() =>
      this.#database.write(async (transaction) => {
        transaction.keepVersion();
        for (const approval of await readApprovals(transaction.connection, overdue(now))) {
          const { state } = await runRecord(transaction.connection, approval.runId);
          if (state !== "awaiting-approval") {
            await end(transaction, approval, "cancelled", "its run was cancelled", now);
          } else {
            await end(transaction, approval, "expired", "nobody decided in time", now);
          }
        }
      }),
    );
    return over.length;
  }
}

function overdue(now: Date): string {
  return `state = 'awaiting' AND (expires_at <= make_timestamp(${micros(now)}) OR NOT EXISTS (
    FROM runs AS r WHERE r.run_id = approvals.run_id AND r.state = 'awaiting-approval'))`;
}

async function readApprovals(
  connection: Connection,
  condition: string,
): Promise<readonly Approval[]> {
  const rows = await connection.rows<{ record: string } & SqlRow>(
    `SELECT record FROM approvals WHERE ${condition} ORDER BY rowid DESC LIMIT ${shownMax}`,
  );
  return rows
    .map(({ record }) => JSON.parse(record) as Approval)
    .toSorted((a, b) => (a.requestedAt < b.requestedAt ? 1 : -1));
}

async function awaiting(transaction: Transaction, runId: string): Promise<Approval> {
  const rows = await transaction.rows<{ record: string }>(
    "SELECT record FROM approvals WHERE run_id = $1",
    [runId],
  );
  const approval = rows[0] === undefined ? undefined : (JSON.parse(rows[0].record) as Approval);
  const { state } = await runRecord(transaction.connection, runId);
  if (approval?.state === "awaiting" && state === "awaiting-approval") return approval;
  throw new EngineError("CONFLICT", `run ${runId} does not wait for approval any more: ${state}`, {
    retryable: false,
    hint: "`thermocline approvals` lists what waits",
  });
}

function requested(
  runId: string,
  plan: Plan,
  now: Date,
  request: ApprovalRequest & { readonly origin: string },
): Approval {
  const { actions, objects, bytesMoved, bytesFreed } = plan.header.totals;
  return {
    runId,
    planCid: plan.cid,
    changeDigest: changeDigest(plan),
    state: "awaiting",
    author: request.author,
    origin: request.origin,
    requestedAt: now.toISOString(),
    expiresAt: request.expiresAt.toISOString(),
    evaluatedAt: plan.evaluatedAt,
    actions,
    objects,
    bytes: Math.max(bytesMoved, bytesFreed),
    terms: plan.header.approvals ?? [],
    decisions: [],
    override: request.start.override ?? [],
    reason: "",
  };
}

async function put(transaction: Transaction, approval: Approval): Promise<void> {
  const { runId, state, origin, expiresAt, actions, bytes } = approval;
  await transaction.run("DELETE FROM approvals WHERE run_id = $1", [runId]);
  await transaction.run(
    "INSERT INTO approvals VALUES ($1, $2, $3, $4, make_timestamp($5::BIGINT), $6, $7, $8)",
    [
      runId,
      state,
      origin,
      approval.changeDigest,
      micros(new Date(expiresAt)),
      actions,
      bytes,
      JSON.stringify(approval),
    ],
  );
}

async function end(
  transaction: Transaction,
  approval: Approval,
  state: ApprovalState,
  reason: string,
  now: Date,
  detail?: Decision,
): Promise<void> {
  await put(transaction, { ...approval, state, reason });
  await transaction.run(
    `UPDATE runs SET state = 'cancelled', ended_at = make_timestamp($2::BIGINT)
     WHERE run_id = $1 AND ended_at IS NULL`,
    [approval.runId, micros(now)],
  );
  note(transaction, approval, state, now, detail ?? { reason });
}

function note(
  transaction: Transaction,
  { runId, planCid, changeDigest: change, author }: Approval,
  reason: string,
  now: Date,
  detail: object,
): void {
  const about = { runId, planCid, detail: { change, author, ...detail } };
  transaction.record({ at: now, kind: "approval", reason, ...about });
}
