import type { LeaderState } from "#model/leader-state.ts";
import type { EngineTrouble, ObjectDetail, PlanReport } from "#model/engine-api.ts";
import type { AuditEntry, AuditReport } from "#model/audit.ts";
import type { Backend } from "#model/backend.ts";
import type { ControlReport, ControlTarget } from "#model/control.ts";
import type { BackendHealth } from "#model/backend-health.ts";
import type { FailureReport, Repair, Suspension } from "#model/failure.ts";
import type { NodeReport } from "#model/node.ts";
import type { PlanAction } from "#model/plan.ts";
import type { Run, StepScope } from "#model/run.ts";
import type { HeldWork } from "#model/wait.ts";
import type { WhyReport } from "#model/why.ts";
import { freeOfCharge } from "#model/backend.ts";
import { samplePlanCost } from "./sample-plan-cost.ts";

export const at = "2026-03-01T12:00:00.000Z";

export const sampleNode: NodeReport = {
  name: "node-1",
  roles: ["controller", "worker"],
  labels: { arch: "arm64" },
  architecture: "arm64",
  platform: "linux",
  version: "0.1.0",
  pid: 7,
  backends: ["hot"],
  startedAt: at,
};

export const sampleTarget: ControlTarget = { scope: "policy", name: "kühl/1" };

export const sampleControl: ControlReport = {
  work: { runs: 1, actions: 2, bytes: 3, queued: 1 },
  cancelled: 0,
  inFlight: [
    {
      runId: "run-1",
      batch: 4,
      step: "copy",
      lane: "hot",
      node: undefined,
      since: at,
      lost: false,
      done: 1,
      total: 2,
      bytes: 3,
    },
  ],
  pauses: [{ ...sampleTarget, reason: "é", actor: "a@b", since: at, until: undefined }],
};

export const sampleRun: Run = {
  id: "run-1",
  planCid: "bafkreiplan",
  state: "partial",
  priority: 0,
  origin: "apply",
  createdAt: at,
  endedAt: at,
  progress: {
    actions: 10,
    done: 7,
    skipped: 1,
    failed: 2,
    cancelled: 0,
    remaining: 0,
    bytes: 100,
    bytesDone: 70,
    causes: [{ code: "NO_SPACE", count: 2, example: "disk full" }],
  },
};

export const sampleStep: StepScope = {
  runId: "run-1",
  policy: "cool",
  verb: "demote",
  source: "hot",
  target: "cold",
  victim: "hot",
  node: "worker-1",
};

export const sampleHeld: HeldWork = {
  work: { ...sampleStep, lane: "cold", node: undefined },
  wait: { reason: "window", message: "closed until tonight", until: at },
  since: at,
  batches: 12,
};

export const sampleAction: PlanAction = {
  sequence: 0,
  verb: "demote",
  objectId: 3,
  cid: "bafkreiobject",
  size: 12,
  profile: "unixfs-v1-2025",
  source: 0,
  target: 1,
  victim: 0,
  rule: "cool/down",
  reason: "idle > 30d",
  requirements: [{ rule: "cool/keep", backends: "3", copies: 2, confidence: "verified" }],
};

export const sampleObject: ObjectDetail = {
  objectId: 3,
  cid: "bafkreiobject",
  size: 12,
  path: "/träger/a b&c.txt",
  nameCount: 1,
  type: "text/plain",
  collection: "set",
  owner: undefined,
  heat: 0.25,
  accessed: at,
  backends: ["hot"],
  verified: 1,
  held: false,
  profile: "unixfs-v1-2025",
  names: ["/träger/a b&c.txt"],
  tags: ["x"],
  created: at,
  ingested: at,
  reads: 4,
  copies: [
    {
      backend: "hot",
      form: "file",
      state: "present",
      confidence: "verified",
      bytes: 12,
      checkedAt: at,
    },
  ],
  history: [{ at, kind: "outcome", reason: "imported" }],
};

export const samplePlan: PlanReport = {
  plan: {
    cid: "bafkreiplan",
    evaluatedAt: at,
    cost: samplePlanCost,
    header: {
      schemaVersion: 1,
      engine: "0.1.0",
      policies: { cool: "00" },
      indexVersion: 4,
      inventory: "11",
      rows: "bafkreirows",
      totals: { actions: 1, objects: 1, bytesMoved: 12, bytesFreed: 12, groups: [] },
      guards: [{ guard: "objects", passed: true, message: "1 of 10 objects" }],
      blocked: [{ rule: "cool/down", reason: "held", objects: 1, bytes: 2 }],
    },
    rowsPath: "/data/x.plan.parquet",
  },
  elapsedMs: 12.5,
  sample: [sampleAction],
};

export const backend: Backend = {
  id: 0,
  name: "hot",
  driver: "local",
  tier: "hot",
  region: undefined,
  labels: {},
  capacityBytes: 1_000,
  usedBytes: 10,
  freeBytes: 990,
  cordoned: false,
  price: freeOfCharge,
  capabilities: {
    forms: ["file"],
    operations: ["read"],
    confidence: ["verified"],
    ranges: "bytes",
    create: "atomic",
    bytesMax: undefined,
  },
};

export const sampleEntry: AuditEntry = {
  entry: 7,
  recorded: at,
  kind: "hold",
  reason: "legal",
  cid: "bafkreiobject",
  actor: "ada@box",
  note: "case 7",
  detail: { permit: "x" },
};

export const sampleAudit: AuditReport = {
  runs: 1,
  actions: 2,
  outcomes: { done: 1, skipped: 0, failed: 1, cancelled: 0 },
  permits: 1,
  proofs: 0,
  settlements: 0,
  entries: 5,
  findings: [{ check: "removal-without-proof", count: 1, examples: ["run-1 action 0 on hot"] }],
};

const failureCause = { code: "CORRUPT", output: undefined };

export const sampleFailures: FailureReport = {
  total: 1,
  causes: [{ ...failureCause, count: 1, example: "found corrupt", remedy: "check the disk" }],
  failures: [
    {
      cid: "bafkreiobject",
      path: undefined,
      size: 12,
      run: "run-1",
      sequence: 0,
      verb: "demote",
      rule: "cool/down",
      step: "copy",
      backend: "cold",
      code: "CORRUPT",
      message: "found corrupt",
      output: undefined,
      failures: 3,
      firstAt: at,
      lastAt: at,
      quarantinedAt: at,
    },
  ],
};

export const sampleSuspension: Suspension = {
  policy: "cool",
  since: at,
  failed: 30,
  outcomes: 50,
  message: "30 of its last 50 actions failed",
};

export const sampleRepair: Repair = {
  objectId: 3,
  cid: "bafkreiobject",
  path: "/a",
  backend: "hot",
  found: "corrupt",
  openedAt: at,
  run: "run-2",
  tries: 1,
  copies: 1,
  message: undefined,
};

export const sampleHealth: BackendHealth = {
  backend: "hot",
  state: "out",
  since: at,
  message: "no route to host",
  nextProbe: at,
};

export const sampleTrouble: EngineTrouble = {
  failing: 4,
  quarantined: 1,
  suspended: [sampleSuspension],
  repairs: 2,
  lost: 1,
  backends: [sampleHealth],
};

export const sampleWhy: WhyReport = {
  about: "object",
  subject: "/träger/a b&c.txt: hot present verified",
  waiting: [
    {
      work: sampleHeld.work,
      wait: sampleHeld.wait,
      since: at,
      batches: 1,
      actions: 2,
      bytes: 3,
    },
  ],
  active: sampleControl.inFlight,
  actions: [
    {
      runId: "run-1",
      sequence: 0,
      batch: 0,
      verb: "demote",
      rule: "cool/down",
      source: "hot",
      target: null,
      victim: null,
      state: "pending",
      message: "paused: “quoted”",
    },
  ],
  facts: ["a hold protects it"],
  looked: ["the ledger"],
};

export const sampleLeader: LeaderState = {
  node: "n1",
  pid: 7,
  epoch: 3,
  since: at,
  standbys: [{ node: "n2", pid: 8 }],
  removalsFrom: at,
  clockStepMs: 7_200_000,
  published: {
    directory: "/shared/index",
    cid: "bafkreifake",
    bytes: 1_048_576,
    publishedAt: at,
    tookMs: 80,
    everyMs: 30_000,
    failure: undefined,
  },
};
