import { cpus } from "node:os";
import { AccessLogStore } from "#index/access-logs/access-log-store.ts";
import { checkAudit } from "#index/audit/check-audit.ts";
import { listBackends, sameBackends, setCordon, syncBackends } from "#index/backends.ts";
import { ControlStore } from "#index/control-store.ts";
import { Database } from "#index/database.ts";
import { FailureLog } from "#index/failures/failure-log.ts";
import { ensureHeatSettings, heatSettings } from "#index/heat-settings.ts";
import { LedgerStore } from "#index/ledger/ledger-store.ts";
import { LimitStore } from "#index/limits/limit-store.ts";
import { InventoryStore } from "#index/inventories/inventory-store.ts";
import { ManifestStore } from "#index/manifests/manifest-store.ts";
import type { ObjectIndexOptions } from "#index/object-index-options.ts";
import { putObjects } from "#index/put-objects.ts";
import { holdObjects, releaseObjects } from "#index/holds.ts";
import { findObject, listObjects, objectDetail } from "#index/object-lookup.ts";
import { reconcile } from "#index/reconcile.ts";
import { recordEvidence } from "#index/record-evidence.ts";
import { type IndexTotals, totals } from "#index/totals.ts";
import { type ActionTotal, actionTotals } from "#index/runs/action-totals.ts";
import { beginRun, startedRun } from "#index/runs/begin-run.ts";
import {
  markQueued,
  pendingBatches,
  queuedBatches,
  requeue,
  workGroups,
} from "#index/runs/batch-store.ts";
import { commitRemovals } from "#index/runs/commit-removals.ts";
import { readRuns } from "#index/runs/run-record.ts";
import { anyRunToFinish, finishRuns, setRunState } from "#index/runs/run-state.ts";
import type { SegmentRange } from "#index/runs/segment.ts";
import { SegmentSource } from "#index/runs/segment-source.ts";
import { SharedCommits } from "#index/runs/shared-commits.ts";
import { expiredPermits, settlePermit } from "#index/runs/settle-permit.ts";
import { TermBook } from "#index/terms.ts";
import { IndexSession } from "#index/read-session.ts";
import { checkSummaries, type SummaryDifference } from "#index/summaries.ts";
import type { AuditReport } from "#model/audit.ts";
import { StarterLog } from "#index/starters/starter-log.ts";
import type { Backend } from "#model/backend.ts";
import type { Evidence } from "#model/copy.ts";
import type { EngineEvent } from "#model/engine-event.ts";
import type { ListedCopy } from "#model/driver.ts";
import type { ObjectDetail, ObjectSummary } from "#model/engine-api.ts";
import type {
  Access,
  AccessSummary,
  BackendFacts,
  CommitContext,
  DriftReport,
  HeatSettings,
  IndexStore,
  WorkGroup,
  NewObject,
  PutSummary,
} from "#model/index-store.ts";
import type { Plan } from "#model/plan.ts";
import { defaultClockSkewMs, type RemovalPermit } from "#model/removal.ts";
import type {
  Batch,
  CommitResult,
  CopyOutcome,
  RemoveOutcome,
  Run,
  RunStart,
  StepData,
} from "#model/run.ts";
import type { ColumnBatch, SqlStatement } from "#model/sql.ts";

export type { ObjectIndexOptions };

/** The object index: what is known, and the single writer of it. */
export class ObjectIndex implements IndexStore {
  /** Reads that are counted, and how far access logs are. */
  readonly accessLogs: AccessLogStore;
  readonly failures: FailureLog;
  /** Orders of people: pauses, cancellations, approvals, holds on many objects. */
  readonly controls: ControlStore;
  readonly limits: LimitStore;
  readonly starters: StarterLog;
  readonly manifests: ManifestStore;
  readonly inventories: InventoryStore;
  readonly ledger: LedgerStore;
  readonly #database: Database;
  readonly #commits: SharedCommits;
  readonly #segments: SegmentSource;
  /** Which controllers wrote this index. */
  readonly terms: TermBook;
  readonly #clockSkewMs: number;
  readonly #now: () => Date;
  readonly #onEvent: (event: EngineEvent) => void;
  readonly #sessions = new Set<IndexSession>();

  private constructor(database: Database, options: ObjectIndexOptions) {
    this.#database = database;
    this.#commits = new SharedCommits(database);
    this.#segments = new SegmentSource(database);
    this.terms = new TermBook(database);
    this.ledger = new LedgerStore(database);
    this.failures = new FailureLog(database);
    this.#clockSkewMs = options.clockSkewMs ?? defaultClockSkewMs;
    this.controls = new ControlStore(database, this.#clockSkewMs);
    this.limits = new LimitStore(database);
    this.starters = new StarterLog(database);
    this.#now = options.now ?? (() => new Date());
    this.accessLogs = new AccessLogStore(database, this.#now);
    this.#onEvent = options.onEvent ?? (() => undefined);
    const [now, clockSkewMs, onEvent] = [this.#now, this.#clockSkewMs, this.#onEvent];
    this.manifests = new ManifestStore(database, { now, clockSkewMs, onEvent });
    this.inventories = new InventoryStore(database, { now, clockSkewMs, onEvent });
  }

  /** Opens the index, creating or upgrading it. LOCKED when another process owns it. */
  static async open(path: string, options: ObjectIndexOptions = {}): Promise<ObjectIndex> {
    const now = options.now ?? (() => new Date());
    const database = await Database.open(path, {
      readOnly: options.readOnly ?? false,
      memoryLimit: options.memoryLimit ?? "1GiB",
      threads: options.threads ?? Math.max(1, cpus().length),
      now: now(),
      ...(options.fence === undefined ? {} : { fence: options.fence }),
    });
    const index = new ObjectIndex(database, options);
    if (!options.readOnly) await ensureHeatSettings(database, options.heatHalfLifeMs, now());
    return index;
  }

  async version(): Promise<number> {
    return await this.#database.read(async (connection) => {
      const { commits } = await connection.row<{ commits: number }>("SELECT commits FROM counters");
      return commits;
    });
  }

  async session(): Promise<IndexSession> {
    const session: IndexSession = await IndexSession.begin(await this.#database.connect(), () => {
      this.#sessions.delete(session);
    });
    this.#sessions.add(session);
    return session;
  }

  /** Answers one SELECT that a person wrote; it can read nothing but the index. */
  async *query(text: string): AsyncGenerator<ColumnBatch> {
    await using session = await this.session();
    yield* session.userColumns(text);
  }

  async heat(): Promise<HeatSettings> {
    return await this.#database.read(heatSettings);
  }

  async syncBackends(facts: readonly BackendFacts[]): Promise<readonly Backend[]> {
    const known = await this.backends();
    if (sameBackends(known, facts)) return known;
    await this.#database.write((transaction) => syncBackends(transaction, facts));
    for (const { name } of facts.filter((fact) => !known.some(({ name }) => name === fact.name))) {
      this.#onEvent({ type: "backend-added", backend: name });
    }
    return await this.backends();
  }

  async backends(at: Date = this.#now()): Promise<readonly Backend[]> {
    return await this.#database.read((connection) => listBackends(connection, at));
  }

  async setCordon(backend: string, cordoned: boolean): Promise<void> {
    await this.#database.write(async (transaction) => {
      await setCordon(transaction, backend, cordoned, this.#now());
    });
  }

  async putObjects(objects: readonly NewObject[], now: Date): Promise<PutSummary> {
    const summary = await this.#database.write(
      async (transaction) => await putObjects(transaction, objects, now, this.#clockSkewMs),
    );
    if (summary.added > 0) this.#onEvent({ type: "object-added", objects: summary.added });
    return summary;
  }

  async recordAccesses(batchId: string, accesses: readonly Access[]): Promise<AccessSummary> {
    return await this.accessLogs.countBatch(batchId, accesses);
  }

  async reconcile(
    backend: string,
    listed: AsyncIterable<ListedCopy>,
    now: Date,
  ): Promise<DriftReport> {
    const report = await reconcile(this.#database, backend, listed, now);
    if (report.lost > 0) this.#onEvent({ type: "copy-lost", backend, objects: report.lost });
    return report;
  }

  async recordEvidence(evidence: readonly Evidence[], now: Date): Promise<void> {
    const lost = await this.#database.write(
      async (transaction) => await recordEvidence(transaction, evidence, now),
    );
    for (const [backend, objects] of lost) this.#onEvent({ type: "copy-lost", backend, objects });
  }

  async hold(objectIds: readonly number[], reason: string, now: Date): Promise<void> {
    await this.#database.write((transaction) => holdObjects(transaction, objectIds, reason, now));
  }

  async release(objectIds: readonly number[], now: Date): Promise<void> {
    await this.#database.write((transaction) => releaseObjects(transaction, objectIds, now));
  }

  /** The id of an object named by CID, path or number. Throws NOT_FOUND. */
  async findObject(reference: string): Promise<number> {
    return await this.#database.read(async (connection) => await findObject(connection, reference));
  }

  /** Objects that fulfil a condition over the view `object AS o`, in order of arrival. */
  async listObjects(
    where: SqlStatement,
    limit: number,
    now: Date,
  ): Promise<readonly ObjectSummary[]> {
    return await this.#database.read((connection) => listObjects(connection, where, limit, now));
  }

  /** Everything about one object, with its most recent history. */
  async objectDetail(objectId: number, now: Date): Promise<ObjectDetail> {
    return await this.#database.read((connection) => objectDetail(connection, objectId, now));
  }

  /** The index in figures. */
  async totals(minimumCopies: number): Promise<IndexTotals> {
    return await this.#database.read(async (connection) => await totals(connection, minimumCopies));
  }

  async beginRun(plan: Plan, now: Date, start?: RunStart): Promise<Run> {
    return await this.#database.write(async (transaction) => {
      return await startedRun(transaction, await beginRun(transaction, plan, now, start));
    });
  }

  /** Actions that ended since the index was made, counted. */
  async actionTotals(): Promise<readonly ActionTotal[]> {
    return await this.#database.read(actionTotals);
  }

  async run(id: string): Promise<Run | undefined> {
    return (await this.#database.read(async (connection) => await readRuns(connection, id)))[0];
  }

  async runs(): Promise<readonly Run[]> {
    return await this.#database.read(async (connection) => await readRuns(connection));
  }

  async setRunState(
    id: string,
    state: "running" | "paused" | "cancelled",
    now: Date,
  ): Promise<Run> {
    return await this.#database.write(async (transaction) => {
      await setRunState(transaction, id, state, now);
      return await startedRun(transaction, id);
    });
  }

  async pendingBatches(
    runId: string,
    lane: string,
    limit: number,
    held?: readonly string[],
  ): Promise<readonly Batch[]> {
    return await this.#database.read(
      async (connection) => await pendingBatches(connection, runId, lane, limit, held),
    );
  }

  async queuedBatches(runId: string, after: number, limit: number): Promise<readonly Batch[]> {
    return await this.#database.read((connection) =>
      queuedBatches(connection, runId, after, limit),
    );
  }

  async workGroups(runId: string): Promise<readonly WorkGroup[]> {
    return await this.#database.read(async (connection) => await workGroups(connection, runId));
  }

  async markQueued(runId: string, numbers: readonly number[]): Promise<void> {
    await this.#database.write((transaction) => markQueued(transaction, runId, numbers));
  }

  async requeue(runId: string, numbers?: readonly number[]): Promise<number> {
    return await this.#database.write((transaction) => requeue(transaction, runId, numbers));
  }

  async segment(planCid: string, from: number, to: number): Promise<Uint8Array> {
    return await this.#segments.one(planCid, { from, to });
  }

  segmentNames: SegmentSource["names"] = (...asked) => this.#segments.names(...asked);

  async segments(planCid: string, ranges: readonly SegmentRange[]): Promise<readonly Uint8Array[]> {
    return await this.#segments.several(planCid, ranges);
  }

  async commitCopies(
    step: StepData,
    outcomes: readonly CopyOutcome[],
    context: CommitContext,
  ): Promise<CommitResult> {
    return await this.#commits.commit({ step, outcomes, context });
  }

  async commitRemovals(
    step: StepData,
    outcomes: readonly RemoveOutcome[],
    now: Date,
  ): Promise<void> {
    await this.#database.write((transaction) => commitRemovals(transaction, step, outcomes, now));
  }

  async expiredPermits(now: Date): Promise<readonly RemovalPermit[]> {
    return await this.#database.read((connection) => expiredPermits(connection, now));
  }

  async settlePermit(permitId: string, evidence: Evidence, now: Date): Promise<void> {
    await this.#database.write((transaction) => settlePermit(transaction, permitId, evidence, now));
  }

  async finishRuns(now: Date): Promise<readonly Run[]> {
    if (!(await this.#database.read(anyRunToFinish))) return [];
    const runs = await this.#database.write(async (transaction) => {
      const ended = new Set(await finishRuns(transaction, now));
      return (await readRuns(transaction.connection)).filter((run) => ended.has(run.id));
    });
    for (const run of runs) this.#onEvent({ type: "run-ended", run });
    return runs;
  }

  /** Whether the ledger is whole and agrees with everything else. */
  async checkAudit(): Promise<AuditReport> {
    return await this.#database.read(checkAudit);
  }

  /** Recomputes every maintained figure from its detail; an empty list means all agree. */
  async checkSummaries(): Promise<readonly SummaryDifference[]> {
    return await this.#database.read(checkSummaries);
  }

  async close(): Promise<void> {
    for (const session of this.#sessions) await session[Symbol.asyncDispose]();
    await this.#database.close();
  }
}
