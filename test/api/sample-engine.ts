import type { EngineApi, ObjectDetail, PlanReport } from "#model/engine-api.ts";
import type { AuditReport } from "#model/audit.ts";
import type { Backend } from "#model/backend.ts";
import type { NodeReport } from "#model/node.ts";
import type { PlanAction } from "#model/plan.ts";
import type { Run, StepScope } from "#model/run.ts";
import type { HeldWork } from "#model/wait.ts";
import { freeOfCharge } from "#model/backend.ts";
import { EngineError } from "#model/engine-error.ts";

const at = "2026-03-01T12:00:00.000Z";

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

const backend: Backend = {
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

const sampleAudit: AuditReport = {
  runs: 1,
  actions: 2,
  outcomes: { done: 1, skipped: 0, failed: 1, cancelled: 0 },
  permits: 1,
  proofs: 0,
  settlements: 0,
  entries: 5,
  findings: [{ check: "removal-without-proof", count: 1, examples: ["run-1 action 0 on hot"] }],
};

/** What reached the engine: the method, then its arguments. */
export type Calls = (readonly [keyof EngineApi, ...unknown[]])[];

/** An engine that answers with fixed values and notes down how it was called. */
export function sampleEngine(calls: Calls = []): EngineApi {
  const answer = <T>(value: T, ...call: Calls[number]): Promise<T> => {
    calls.push(call);
    return Promise.resolve(value);
  };
  const nodeState = { ...sampleNode, lastSeen: at, up: true };
  return {
    status: () =>
      answer(
        {
          version: "0.1.0",
          dataDirectory: "/data",
          queue: "embedded",
          startedAt: at,
          objects: 10,
          copies: 12,
          bytes: 120,
          belowMinimum: 1,
          backends: [{ name: "hot", tier: "hot", copies: 12, bytes: 144 }],
          runs: [sampleRun],
          held: [sampleHeld],
          nodes: [nodeState],
        },
        "status",
      ),
    metrics: () => answer("# HELP up Sample.\n# TYPE up gauge\nup 1\n", "metrics"),
    backends: () =>
      answer(
        [
          { ...backend, status: "no route to host" },
          {
            ...backend,
            id: 1,
            status: { server: "s3", writable: true, usedBytes: undefined, freeBytes: 5 },
          },
        ],
        "backends",
      ),
    validate: (files) =>
      answer(
        {
          policies: 1,
          rules: 2,
          diagnostics: [
            {
              file: "a.yaml",
              range: { start: { line: 1, column: 2 }, end: { line: 1, column: 5 } },
              severity: "error",
              code: "E0102",
              message: "unknown key",
              hint: "did you mean",
            },
          ],
        },
        "validate",
        files,
      ),
    plan: (request) => answer(samplePlan, "plan", request),
    planActions: (...given) => answer([sampleAction], "planActions", ...given),
    apply: (request) => answer(sampleRun, "apply", request),
    explain: (request) =>
      answer(
        {
          object: sampleObject,
          evaluatedAt: at,
          rules: [
            {
              rule: "cool/down",
              place: "a.yaml:3:5",
              verb: "demote",
              matched: false,
              result: "heat too high",
              clauses: [{ text: "heat < 0.1", holds: false, value: "0.25", flip: "in 9d" }],
            },
          ],
          conclusion: ["nothing"],
          nextChange: { at, what: "heat falls below 0.1" },
        },
        "explain",
        request,
      ),
    objects: (request) => answer([sampleObject], "objects", request),
    object: (reference) => answer(sampleObject, "object", reference),
    async *query(text) {
      await answer(undefined, "query", text);
      if (text.includes("nothing_here")) throw new EngineError("NOT_FOUND", "no such view");
      yield { columns: ["a", "t", "b", "n"], rows: [exactRow] };
      if (text.includes("fails_later")) {
        throw new EngineError("TIMEOUT", "too slow", { hint: "ask for less" });
      }
      yield { columns: ["a", "t", "b", "n"], rows: [] };
    },
    async *importDirectory(request) {
      await answer(undefined, "importDirectory", request);
      const counts = { files: 1, bytes: 2, added: 1, known: 0, problems: 0, elapsedMs: 1 };
      yield { type: "progress", ...counts };
      yield { type: "problem", ...counts, problems: 1, message: "b.txt cannot be read" };
      yield { type: "summary", ...counts, problems: 1 };
    },
    importInventory: (name) =>
      answer(
        { backend: name, listed: 3, confirmed: 1, lost: 1, unexpected: 1, changed: 0 },
        "importInventory",
        name,
      ),
    async importAccesses(batchId, lines) {
      const seen = await Array.fromAsync(lines);
      return answer(
        {
          applied: seen.length,
          unknown: 0,
          repeated: false,
          lines: seen.length,
          malformed: 0,
          examples: seen.slice(0, 2),
        },
        "importAccesses",
        batchId,
        seen.length,
      );
    },
    async *verify(request) {
      await answer(undefined, "verify", request);
      const counts = { copies: 1, total: 1, bytes: 2, verified: 1, absent: 0, corrupt: 0 };
      yield { type: "summary", ...counts, elapsedMs: 1 };
    },
    setHold: (...given) => answer({ ...sampleObject, held: true }, "setHold", ...given),
    setCordon: (...given) => answer(undefined, "setCordon", ...given),
    runs: () => answer([sampleRun], "runs"),
    run: (id) =>
      id === "run-1"
        ? answer(sampleRun, "run", id)
        : Promise.reject(
            new EngineError("NOT_FOUND", `no run ${id}`, {
              hint: "`thermocline runs` lists them",
              details: { id },
            }),
          ),
    controlRun: (...given) => answer(sampleRun, "controlRun", ...given),
    checkAudit: () => answer(sampleAudit, "checkAudit"),
    nodes: () => answer([nodeState], "nodes"),
    heartbeat: (report) => answer(undefined, "heartbeat", report),
    segment: (...given) => answer(new Uint8Array([0, 255, 10, 13]), "segment", ...given),
    stepControls: (steps) =>
      answer(
        steps.map(() => ({ control: "pause", reason: "the window is closed" })),
        "stepControls",
        steps,
      ),
  };
}

/** A row with every kind of value that JSON lacks. */
export const exactRow = {
  a: 2n ** 60n,
  t: new Date(at),
  b: new Uint8Array([1, 2, 3]),
  n: Number.NaN,
};
