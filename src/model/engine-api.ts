import type { StorageLock } from "#model/copy.ts";
import type { AccessLogFormat, AccessLogOptions } from "#model/access-log.ts";
import type { AuditEntry, AuditExportRequest, AuditReport, AuditRequest } from "#model/audit.ts";
import type { Backend } from "#model/backend.ts";
import type {
  ControlReport,
  ControlRequest,
  HoldReport,
  HoldRequest,
  Pause,
  RetryReport,
  RetryRequest,
} from "#model/control.ts";
import type {
  BackendShare,
  EffectiveLimits,
  LimitOverride,
  ShareRequest,
} from "#model/backend-limits.ts";
import type {
  ExplainRequest,
  Explanation,
  RuleStatement,
  RuleStatementRequest,
} from "#model/explanation.ts";
import type { VariableValues } from "#model/variable-values.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import type { BackendHealth, OutageReport } from "#model/backend-health.ts";
import type { BackendStatus, BackendTrouble } from "#model/driver.ts";
import type { ToldEvent } from "#model/engine-event.ts";
import type { FailureFilter, FailureReport, Repair, Suspension } from "#model/failure.ts";
import type {
  AsOf,
  SnapshotCar,
  SnapshotDiff,
  SnapshotDiffRequest,
  SnapshotExportRequest,
  SnapshotGcReport,
  SnapshotGcRequest,
  SnapshotList,
  SnapshotListRequest,
  SnapshotPullRequest,
  SnapshotPushRequest,
  SnapshotReference,
  SnapshotReport,
  SnapshotRequest,
  SnapshotSummary,
  SnapshotTransfer,
} from "#model/index-snapshot.ts";
import type { AccessSummary } from "#model/index-store.ts";
import type { ManifestProgress, ManifestRequest } from "#model/object-manifest.ts";
import type { InventoryApi } from "#model/inventory.ts";
import type { LeaderState } from "#model/leader-state.ts";
import type { Heartbeat, NodeOrders, NodeReport } from "#model/node.ts";
import type { PlanLifeApi } from "#model/plan-life-api.ts";
import type { PlanLimits } from "#model/plan-limits.ts";
import type { QueryApi } from "#model/query-api.ts";
import type { ObjectContentApi } from "#model/object-content.ts";
import type { Plan, PlanAction } from "#model/plan.ts";
import type { BatchApi } from "#model/batch-api.ts";
import type { Report, ReportExportRequest, ReportRequest } from "#model/report.ts";
import type { RowFile } from "#model/row-file.ts";
import type { Run, RunControl, StepControl, StepScope } from "#model/run.ts";
import type { ScheduleStatus, UpcomingStart } from "#model/schedule.ts";
import type { Firing } from "#model/starter.ts";
import type { GarbageProgress, GarbageRequest } from "#model/garbage.ts";
import type { NameFacts } from "#model/storage-name.ts";
import type { HeldWork } from "#model/wait.ts";
import type { WhyReport } from "#model/why.ts";

/**
 * Everything a person or program may ask of the engine. The HTTP API is a thin shell over it,
 * and the command line talks to that API: over a socket when a controller runs, in its own
 * process when none does. All methods throw `EngineError`.
 */
export interface EngineApi extends BatchApi, InventoryApi, ObjectContentApi, PlanLifeApi, QueryApi {
  status(): Promise<EngineStatus>;
  /** Every metric of the engine and its nodes, in the Prometheus text format. */
  metrics(): Promise<string>;
  /** What happens from now on, or after the event of that id; `reset` when that is unknown. */
  events(after?: string): AsyncIterable<ToldEvent>;
  backends(): Promise<readonly BackendReport[]>;

  /** Checks policy files (default: the configured ones) against the configured backends. */
  validate(files?: readonly string[], variables?: VariableValues): Promise<ValidationReport>;
  plan(request: PlanRequest): Promise<PlanReport>;
  /** The first actions of a plan, for people; the rest is in its Parquet file. */
  planActions(planCid: string, offset: number, limit: number): Promise<readonly PlanAction[]>;
  apply(request: ApplyRequest): Promise<Run>;
  explain(request: ExplainRequest): Promise<Explanation>;
  /** For each rule of a policy, the statement that finds the objects it would act on. */
  ruleStatements(request: RuleStatementRequest): Promise<readonly RuleStatement[]>;

  /** Objects in pieces; however many there are, few are held in memory. */
  objects(request: ObjectsRequest): AsyncIterable<readonly ObjectSummary[]>;
  exportObjects(request: ObjectsExportRequest): Promise<RowFile>;
  object(reference: string): Promise<ObjectDetail>;
  /** Figures of the index by group, and over all. */
  report(request: ReportRequest): Promise<Report>;
  exportReport(request: ReportExportRequest): Promise<RowFile>;

  /** Writes the index as Parquet files and a manifest, all named by CID. */
  takeSnapshot(request: SnapshotRequest): Promise<SnapshotReport>;
  snapshots(request?: SnapshotListRequest): Promise<SnapshotList>;
  /** One that is here. */
  findSnapshot(reference: SnapshotReference): Promise<SnapshotSummary>;
  /** Sends to a backend what it lacks of a snapshot. */
  pushSnapshot(request: SnapshotPushRequest): Promise<SnapshotTransfer>;
  /** Fetches from a backend what is not here of a snapshot. */
  pullSnapshot(request: SnapshotPullRequest): Promise<SnapshotTransfer>;
  exportSnapshot(request: SnapshotExportRequest): Promise<SnapshotCar>;
  diffSnapshots(request: SnapshotDiffRequest): Promise<SnapshotDiff>;
  /** Gives up old snapshots, and the parts that no other one shares. */
  collectSnapshots(request: SnapshotGcRequest): Promise<SnapshotGcReport>;

  importDirectory(request: ImportRequest): AsyncIterable<ImportProgress>;
  /** Enters what a manifest names; bytes are neither read nor moved. */
  importManifest(request: ManifestRequest): AsyncIterable<ManifestProgress>;
  /** Counts an access log; what was counted under this id before is not counted again. */
  importAccesses(
    batchId: string,
    lines: AsyncIterable<string>,
    options?: AccessLogOptions,
  ): Promise<AccessImportReport>;
  /** Re-hashes copies at their backends and records what was found. */
  verify(request: VerifyRequest): AsyncIterable<VerifyProgress>;
  setHold(reference: string, held: boolean, reason: string): Promise<ObjectSummary>;
  setCordon(backend: string, cordoned: boolean): Promise<void>;
  /** Has a backend free the room of what no copy needs any more. */
  collectGarbage(request: GarbageRequest): AsyncIterable<GarbageProgress>;

  /** How hard each backend may be worked now. */
  limits(): Promise<readonly EffectiveLimits[]>;
  /** Changes limits on every node at once; what is not mentioned stays as it was. */
  setLimits(override: LimitOverride): Promise<EffectiveLimits>;
  /** The configuration counts again. */
  resetLimits(backend: string): Promise<EffectiveLimits>;

  runs(): Promise<readonly Run[]>;
  run(id: string): Promise<Run>;
  controlRun(id: string, control: RunControl): Promise<Run>;

  /** What failed and did not succeed since, by cause. */
  failures(request: FailuresRequest): Promise<FailureReport>;
  /** Lets plans try again what failed too often. */
  releaseQuarantine(filter: FailureFilter, reason: string): Promise<{ readonly released: number }>;
  /** Takes failures off the list, as what nobody wants or will mend; plans may want them again. */
  dismissFailures(filter: FailureFilter, reason: string): Promise<{ readonly dismissed: number }>;
  /** Policies that were stopped because too much of what they did failed. */
  suspensions(): Promise<readonly Suspension[]>;
  releaseSuspension(policy: string, reason: string): Promise<void>;
  /** Copies that checks found absent or corrupt and that are not made good yet. */
  repairs(limit: number): Promise<readonly Repair[]>;

  /** Entries of the ledger in pieces, the newest last. */
  audit(request: AuditRequest): AsyncIterable<readonly AuditEntry[]>;
  exportAudit(request: AuditExportRequest): Promise<RowFile>;
  /** Pauses, resumes or cancels a run, policy, backend, node, or everything. */
  control(request: ControlRequest): Promise<ControlReport>;
  pauses(): Promise<readonly Pause[]>;
  setPriority(runId: string, priority: number): Promise<Run>;
  holdObjects(request: HoldRequest): Promise<HoldReport>;
  /** What starts policies by itself, and when their actions may run. */
  schedules(): Promise<readonly ScheduleStatus[]>;
  upcomingStarts(policy: string, count: number): Promise<readonly UpcomingStart[]>;
  /** Evaluates and applies one policy now, as its schedule would. */
  runSchedule(policy: string): Promise<Firing>;
  setScheduleEnabled(policy: string, enabled: boolean, reason: string): Promise<void>;
  /** Tries failed and cancelled actions again, as a new run of what is still wanted of them. */
  retry(request: RetryRequest): Promise<RetryReport>;
  /** Why a run, an object or a job stands where it stands, and what would change that. */
  why(reference: string): Promise<WhyReport>;

  /** Whether every action has one outcome, every removal its proof, and the ledger no gap. */
  checkAudit(): Promise<AuditReport>;

  nodes(): Promise<readonly NodeState[]>;
  /** For workers. */
  heartbeat(report: Heartbeat): Promise<NodeOrders>;
  /** A whole backend stopped a step of this worker. */
  reportOutage(report: OutageReport): Promise<void>;
  segment(planCid: string, from: number, to: number): Promise<Uint8Array>;
  /** What the objects of a segment are called now, in its order: for backends that store by name. */
  segmentNames(planCid: string, from: number, to: number): Promise<readonly NameFacts[]>;
  /** The shares of the limits that a node may use from now on. */
  limitShares(request: ShareRequest): Promise<readonly BackendShare[]>;
  /** What to do with each of these active steps, in the same order. */
  stepControls(steps: readonly StepScope[]): Promise<readonly StepControl[]>;
}

export interface BackendReport extends Backend {
  /** What it answers now, or in words why it does not. */
  readonly status: BackendStatus | string;
  /** What to do where it does not answer, if anybody knows. */
  readonly hint?: string | undefined;
  /** What stands in the way of work there although it answers. */
  readonly troubles: readonly BackendTrouble[];
  /** What the controller knows of it, from workers and its own probes. */
  readonly health: BackendHealth;
}

/** What is wrong at the moment, in numbers and names; all empty when nothing is. */
export interface EngineTrouble {
  /** Actions that failed and did not succeed since; the quarantined are among them. */
  readonly failing: number;
  readonly quarantined: number;
  readonly suspended: readonly Suspension[];
  /** Objects with a copy that was found absent or corrupt and is not made good yet. */
  readonly repairs: number;
  /** Those among them that have no intact copy left anywhere. */
  readonly lost: number;
  /** Backends that are out, full or read-only. */
  readonly backends: readonly BackendHealth[];
}

export interface FailuresRequest extends FailureFilter {
  readonly quarantined?: boolean;
  readonly offset: number;
  readonly limit: number;
}

export interface EngineStatus {
  readonly version: string;
  readonly dataDirectory: string;
  readonly queue: string;
  readonly startedAt: string;
  /** Undefined while the engine that answers only reads. */
  readonly leader: LeaderState | undefined;
  readonly objects: number;
  readonly copies: number;
  readonly bytes: number;
  readonly belowMinimum: number;
  readonly backends: readonly { name: string; tier: string; copies: number; bytes: number }[];
  readonly runs: readonly Run[];
  /** Planned work that does not go on at the moment, and why. */
  readonly held: readonly HeldWork[];
  readonly trouble: EngineTrouble;
  readonly nodes: readonly NodeState[];
}

export interface ValidationReport {
  readonly policies: number;
  readonly rules: number;
  /** How many of the rules do nothing: `enabled: false`. */
  readonly switchedOff?: number | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

export interface PlanRequest extends AsOf {
  /**
   * Evaluate as if it were this time (ISO 8601); default now, or when the snapshot was taken.
   */
  readonly at?: string;
  readonly policies?: readonly string[];
  /** Write `<out>.plan.json` and `<out>.plan.parquet`; without it nothing is written. */
  readonly out?: string;
  /** The most that all policies together do; the smallest of all limits wins. */
  readonly limits?: PlanLimits;
  /** Look only at these objects: an expression, or CID, path or number of one. */
  readonly only?: string;
  readonly variables?: VariableValues;
}

export interface PlanReport {
  readonly plan: Plan;
  readonly elapsedMs: number;
  readonly sample: readonly PlanAction[];
}

export interface ApplyRequest {
  /** A saved plan; without it the policies are planned now and that plan runs. */
  readonly planFile?: string;
  /** The plan a person saw and agreed to; apply refuses when planning gives another one. */
  readonly expectCid?: string;
  /** When that plan was evaluated (`Plan.evaluatedAt`): it is made again for that moment. */
  readonly at?: string;
  /** Guards to override, by `GuardResult.guard`. */
  readonly override?: readonly string[];
  /** Of a saved plan, carry out what still fits, although other actions of it do not. */
  readonly allowSubset?: boolean;
  readonly maxObjects?: number;
  /** With which the plan was made that was agreed to; a saved plan brings its own. */
  readonly limits?: PlanLimits;
  readonly only?: string;
  readonly variables?: VariableValues;
}

export interface ObjectsRequest extends AsOf {
  /** A policy expression. */
  readonly where?: string;
  /** Keys as rules order by: `heat desc, size`. Default: in order of arrival. */
  readonly sort?: string;
  /** The first so many; all without it. */
  readonly limit?: number;
}

export interface ObjectsExportRequest extends ObjectsRequest {
  /** On the controller's machine; its extension says the format, of rows or car. */
  readonly file: string;
  /** A row for each object (default), or for each copy of them, then in order of arrival. */
  readonly per?: ExportedPer;
}

/** What one row of an export of objects is about. */
export const exportedPer = ["object", "copy"] as const;
export type ExportedPer = (typeof exportedPer)[number];

export interface ObjectSummary {
  readonly objectId: number;
  readonly cid: string;
  readonly size: number;
  /** One of its names, and how many it has. */
  readonly path: string | undefined;
  readonly nameCount: number;
  readonly type: string | undefined;
  readonly collection: string | undefined;
  readonly owner: string | undefined;
  readonly heat: number;
  readonly accessed: string | undefined;
  readonly backends: readonly string[];
  readonly verified: number;
  readonly held: boolean;
}

export interface ObjectDetail extends ObjectSummary {
  readonly profile: string;
  readonly names: readonly string[];
  readonly tags: readonly string[];
  readonly created: string;
  readonly ingested: string;
  readonly reads: number;
  readonly copies: readonly {
    backend: string;
    form: string;
    state: string;
    confidence: string;
    bytes: number;
    checkedAt: string | undefined;
    /** What its backend keeps it for by itself, and when that said so (ISO 8601 UTC). */
    lock?: StorageLock & { readonly seenAt: string };
  }[];
  readonly history: readonly { at: string; kind: string; reason: string }[];
}

export interface ImportRequest {
  readonly path: string;
  /** Backend that gets the bytes. */
  readonly backend: string;
  readonly collection?: string;
  readonly owner?: string;
  readonly tags?: readonly string[];
  /** Prefix of the names in the index; default the folder's own name: `/node_modules/…`. */
  readonly prefix?: string;
  readonly dryRun?: boolean;
}

export interface ImportProgress {
  readonly type: "progress" | "problem" | "summary";
  readonly files: number;
  /** Files of the folder, as soon as they are counted: the import does not wait for that. */
  readonly filesTotal?: number;
  readonly bytes: number;
  readonly added: number;
  readonly known: number;
  readonly problems: number;
  readonly elapsedMs: number;
  /** With `problem`: which file, and what to do. */
  readonly message?: string;
}

/** What became of the lines of an access log that had not been counted before. */
export interface AccessImportReport extends AccessSummary {
  /** Lines with content. */
  readonly lines: number;
  /** Lines that an earlier import counted, empty ones included. */
  readonly earlier: number;
  /** Requests that are no reads of content (writes, listings, errors), and header lines. */
  readonly ignored: number;
  readonly malformed: number;
  /** What the log turned out to be; undefined when no line told. */
  readonly format: AccessLogFormat | undefined;
  /** Where the controller keeps the malformed lines, each with its number and the reason. */
  readonly malformedFile: string | undefined;
  /** `line N: …` for the first few malformed lines. */
  readonly examples: readonly string[];
}

export interface VerifyRequest {
  readonly backend?: string;
  readonly where?: string;
  /** Only say, in the summary, how many copies there are to check and their bytes. */
  readonly dryRun?: boolean;
}

export interface VerifyProgress {
  readonly type: "progress" | "problem" | "summary";
  readonly copies: number;
  readonly total: number;
  readonly bytes: number;
  readonly verified: number;
  readonly absent: number;
  readonly corrupt: number;
  readonly elapsedMs: number;
  readonly message?: string;
}

export interface NodeState extends NodeReport {
  readonly lastSeen: string;
  readonly up: boolean;
}
