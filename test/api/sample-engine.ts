import type { EngineApi } from "#model/engine-api.ts";
import { sampleDrift, sampleInventory, sampleInventoryProgress } from "./sample-inventory.ts";
import { EngineError } from "#model/engine-error.ts";
import { sampleBatchEngine } from "./sample-batch.ts";
import { exactRow } from "./exact-row.ts";
import { sampleExplanation, sampleValidation } from "./sample-explanation.ts";
import { sampleApproval, samplePlanDiff, sampleUndo } from "./sample-approval.ts";
import { sampleLimits } from "./sample-limits.ts";
import { sampleReport } from "./sample-report.ts";
import {
  sampleSnapshot,
  sampleSnapshotCar,
  sampleSnapshotDiff,
  sampleSnapshotReport,
  sampleTransfer,
} from "./sample-snapshot.ts";
import { sampleSources, sampleStored } from "./sample-object-content.ts";
import { sampleFiring, sampleSchedule, sampleStart } from "./sample-schedule.ts";
import {
  at,
  sampleLeader,
  sampleNode,
  sampleRun,
  sampleFailures,
  sampleHealth,
  sampleHeld,
  sampleRepair,
  sampleSuspension,
  sampleTrouble,
  sampleAction,
  sampleObject,
  samplePlan,
  backend,
  sampleAudit,
  sampleEntry,
  sampleControl,
  sampleWhy,
} from "./sample-values.ts";

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
          leader: sampleLeader,
          objects: 10,
          copies: 12,
          bytes: 120,
          belowMinimum: 1,
          backends: [{ name: "hot", tier: "hot", copies: 12, bytes: 144 }],
          runs: [sampleRun],
          held: [sampleHeld],
          trouble: sampleTrouble,
          nodes: [nodeState],
        },
        "status",
      ),
    metrics: () => answer("# HELP up Sample.\n# TYPE up gauge\nup 1\n", "metrics"),
    backends: () =>
      answer(
        [
          {
            ...backend,
            status: "no route to host",
            hint: "mend the route",
            troubles: [],
            health: sampleHealth,
          },
          {
            ...backend,
            id: 1,
            health: sampleHealth,
            troubles: [{ state: "warn", message: "a node is away", hint: "start it" }],
            status: {
              server: "s3",
              writable: true,
              usedBytes: undefined,
              freeBytes: 5,
              totalBytes: 7,
            },
          },
        ],
        "backends",
      ),
    validate: (...given) => answer(sampleValidation, "validate", ...given),
    plan: (request) => answer(samplePlan, "plan", request),
    planActions: (...given) => answer([sampleAction], "planActions", ...given),
    apply: (request) => answer(sampleRun, "apply", request),
    explain: (request) => answer(sampleExplanation, "explain", request),
    ruleStatements: (request) =>
      answer(
        [{ rule: "cool/down", place: "a.yaml:3:5", verb: "demote", sql: "SELECT 1" }],
        "ruleStatements",
        request,
      ),
    async *objects(request) {
      yield await answer([sampleObject], "objects", request);
      yield [];
    },
    report: (request) => answer(sampleReport, "report", request),
    exportReport: (request) =>
      answer({ file: request.file, rows: 4, bytes: 90 }, "exportReport", request),
    exportObjects: (request) =>
      answer({ file: request.file, rows: 2, bytes: 300 }, "exportObjects", request),
    object: (reference) => answer(sampleObject, "object", reference),
    async *query(text, options) {
      await answer(undefined, "query", text, options);
      if (text.includes("nothing_here")) throw new EngineError("NOT_FOUND", "no such view");
      yield { columns: ["a", "t", "b", "n"], rows: [exactRow] };
      if (text.includes("fails_later")) {
        throw new EngineError("TIMEOUT", "too slow", { hint: "ask for less" });
      }
      yield { columns: ["a", "t", "b", "n"], rows: [] };
    },
    async *events(after) {
      await answer(undefined, "events", after);
      yield { id: "a-1", at, event: { type: "copy-lost", backend: "hot/1", objects: 2 } };
      yield { id: "a-2", at, event: { type: "run-ended", run: sampleRun } };
    },
    async *importDirectory(request) {
      await answer(undefined, "importDirectory", request);
      const counts = { files: 1, bytes: 2, added: 1, known: 0, problems: 0, elapsedMs: 1 };
      yield { type: "progress", ...counts };
      yield { type: "problem", ...counts, problems: 1, message: "b.txt cannot be read" };
      yield { type: "summary", ...counts, problems: 1 };
    },
    async *importManifest(request) {
      await answer(undefined, "importManifest", request);
      const counts = { rows: 3, earlier: 1, bytes: 9, added: 1, known: 1, copies: 0, leftOut: 0 };
      const kept = { malformed: 1, malformedFile: "/kept", examples: ["line 3: it has no cid"] };
      const facts = { format: "csv", ignored: ["note"], elapsedMs: 1, ...counts, ...kept } as const;
      yield { type: "progress", rowsTotal: undefined, ...facts };
      yield { type: "summary", rowsTotal: 3, ...facts };
    },
    async *importInventory(request) {
      await answer(undefined, "importInventory", request);
      yield { type: "progress", phase: "listing", ...sampleInventoryProgress };
      const progress = { ...sampleInventoryProgress, report: sampleInventory };
      yield { type: "summary", phase: "comparing", ...progress };
    },
    inventories: () => answer([sampleInventory], "inventories"),
    async *drift(request) {
      await answer(undefined, "drift", request);
      yield [sampleDrift, { ...sampleDrift, kind: "changed", detail: "size", bytes: 3 }];
    },
    exportDrift: (request) =>
      answer({ file: request.file, rows: 2, bytes: 300 }, "exportDrift", request),
    async storeObject(request, bytes) {
      const seen = Buffer.concat(await Array.fromAsync(bytes)).toString();
      return answer(sampleStored, "storeObject", request, seen);
    },
    objectSources: (reference) => answer(sampleSources, "objectSources", reference),
    async *readObject(request) {
      yield await answer(Buffer.from([0xff, 0, 1]), "readObject", request);
    },
    async importAccesses(batchId, lines, options) {
      const seen = await Array.fromAsync(lines);
      return answer(
        {
          applied: seen.length,
          unknown: 0,
          repeated: false,
          lines: seen.length,
          earlier: 4,
          ignored: 1,
          malformed: 0,
          format: "s3",
          malformedFile: undefined,
          examples: seen.slice(0, 2),
        },
        "importAccesses",
        batchId,
        seen.length,
        options,
      );
    },
    async *verify(request) {
      await answer(undefined, "verify", request);
      const counts = { copies: 1, total: 1, bytes: 2, verified: 1, absent: 0, corrupt: 0 };
      yield { type: "summary", ...counts, elapsedMs: 1 };
    },
    setHold: (...given) => answer({ ...sampleObject, held: true }, "setHold", ...given),
    setCordon: (...given) => answer(undefined, "setCordon", ...given),
    async *collectGarbage(request) {
      const before = { blocks: 7, blocksBefore: 9, usedBytesBefore: 5_000, totalBytes: 9_000 };
      yield await answer(
        { ...before, type: "summary", usedBytes: 3_000, elapsedMs: 12 },
        "collectGarbage",
        request,
      );
    },
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
    ...sampleBatchEngine(calls),
    takeSnapshot: (request) => answer(sampleSnapshotReport, "takeSnapshot", request),
    snapshots: (request) =>
      answer({ snapshots: [sampleSnapshot], damaged: ["bafyother"] }, "snapshots", request),
    findSnapshot: (reference) => answer(sampleSnapshot, "findSnapshot", reference),
    pushSnapshot: (request) => answer(sampleTransfer, "pushSnapshot", request),
    pullSnapshot: (request) => answer(sampleTransfer, "pullSnapshot", request),
    exportSnapshot: (request) => answer(sampleSnapshotCar, "exportSnapshot", request),
    diffSnapshots: (request) => answer(sampleSnapshotDiff, "diffSnapshots", request),
    collectSnapshots: (request) =>
      answer(
        { kept: ["bafysnapshot"], removed: [], partsRemoved: 2, bytesRemoved: 90 },
        "collectSnapshots",
        request,
      ),
    async *audit(request) {
      await answer(undefined, "audit", request);
      yield [sampleEntry];
      yield [];
    },
    exportAudit: (request) =>
      answer({ file: request.file, rows: 3, bytes: 400 }, "exportAudit", request),
    control: (request) => answer(sampleControl, "control", request),
    retry: (request) =>
      answer(
        {
          failed: { actions: 2, bytes: 9, underWay: 1 },
          leftOut: [{ reason: "quarantined", actions: 1 }],
          plan: samplePlan.plan,
          run: sampleRun,
        },
        "retry",
        request,
      ),
    why: (reference) => answer(sampleWhy, "why", reference),
    pauses: () => answer(sampleControl.pauses, "pauses"),
    setPriority: (...given) => answer(sampleRun, "setPriority", ...given),
    holdObjects: (request) => answer({ objects: 3, bytes: 9, changed: 2 }, "holdObjects", request),
    failures: (request) => answer(sampleFailures, "failures", request),
    dismissFailures: (...given) => answer({ dismissed: 3 }, "dismissFailures", ...given),
    releaseQuarantine: (...given) => answer({ released: 2 }, "releaseQuarantine", ...given),
    suspensions: () => answer([sampleSuspension], "suspensions"),
    diffPlans: (request) => answer(samplePlanDiff, "diffPlans", request),
    undoRun: (request) => answer(sampleUndo, "undoRun", request),
    approvals: () => answer([sampleApproval], "approvals"),
    decideApproval: (request) => answer(sampleRun, "decideApproval", request),
    releaseSuspension: (...given) => answer(undefined, "releaseSuspension", ...given),
    repairs: (limit) => answer([sampleRepair], "repairs", limit),
    reportOutage: (report) => answer(undefined, "reportOutage", report),
    schedules: () => answer([sampleSchedule], "schedules"),
    upcomingStarts: (...given) => answer([sampleStart], "upcomingStarts", ...given),
    runSchedule: (policy) => answer(sampleFiring, "runSchedule", policy),
    setScheduleEnabled: (...given) => answer(undefined, "setScheduleEnabled", ...given),
    checkAudit: () => answer(sampleAudit, "checkAudit"),
    limits: () => answer([sampleLimits], "limits"),
    setLimits: (override) => answer({ ...sampleLimits, override }, "setLimits", override),
    resetLimits: (backend) => answer({ ...sampleLimits, backend }, "resetLimits", backend),
    limitShares: (request) =>
      answer([{ backend: "hot", perNode: 4, upload: 1.5 }], "limitShares", request),
    nodes: () => answer([nodeState], "nodes"),
    heartbeat: (report) => answer({ at, paused: "é" }, "heartbeat", report),
    segment: (...given) => answer(new Uint8Array([0, 255, 10, 13]), "segment", ...given),
    segmentNames: (...given) =>
      answer([{ collection: "thesis", path: "/thesis/é.txt" }], "segmentNames", ...given),
    stepControls: (steps) =>
      answer(
        steps.map(() => ({ control: "pause", reason: "the window is closed" })),
        "stepControls",
        steps,
      ),
  };
}
