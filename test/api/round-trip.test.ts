import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import type { EngineApi } from "#model/engine-api.ts";
import type { Calls } from "./sample-engine.ts";
import { allRoutes } from "#api/routes/all-routes.ts";
import { sampleEngine } from "./sample-engine.ts";
import { sampleShareRequest } from "./sample-limits.ts";
import { sampleNode, sampleStep, sampleTarget } from "./sample-values.ts";
import { serveEngine } from "./served-engine.ts";

type Call = (api: EngineApi) => Promise<unknown>;

const path = "/träger/a b&c.txt";
const plan = { at: "2026-03-01T12:00:00Z", policies: ["/policies/cool.yaml"], out: "/tmp/plan" };
const snapshot = "2026-03-01T12:00:00Z";

/** One call of every method, with arguments that a URL or JSON might mangle. */
const everyMethod: Record<keyof EngineApi, Call> = {
  status: (api) => api.status(),
  metrics: (api) => api.metrics(),
  backends: (api) => api.backends(),
  validate: (api) => api.validate(["/policies/a.yaml"], { idle: "30d" }),
  plan: (api) => api.plan({ ...plan, snapshot }),
  planActions: (api) => api.planActions("bafkreiplan", 5, 10),
  apply: (api) => api.apply({ planFile: "/tmp/x", override: ["objects"], maxObjects: 3 }),
  explain: (api) =>
    api.explain({ object: path, at: "2026-03-01T12:00:00Z", variables: { idle: "30d" } }),
  ruleStatements: (api) => api.ruleStatements({ rule: "cool/down", variables: { idle: "30d" } }),
  objects: (api) =>
    Array.fromAsync(
      api.objects({ where: 'path like "/a+b/%**" and size > 1KiB', sort: "heat desc", limit: 7 }),
    ),
  exportObjects: (api) =>
    api.exportObjects({ file: "/exports/é.parquet", sort: "size + 1", snapshot }),
  report: (api) =>
    api.report({ report: "cost", by: "owner", where: 'owner = "é"', limit: 3, snapshot }),
  exportReport: (api) => api.exportReport({ report: "age", by: "type", file: "/exports/a.csv" }),
  object: (api) => api.object(path),
  query: (api) => Array.fromAsync(api.query("select 'é' -- ?&\n", { snapshot })),
  importDirectory: (api) =>
    Array.fromAsync(api.importDirectory({ path: "/data", backend: "hot", tags: ["a"] })),
  importManifest: (api) =>
    Array.fromAsync(api.importManifest({ path: "/data/é.csv", format: "csv", tags: ["a"] })),
  importInventory: (api) =>
    Array.fromAsync(
      api.importInventory({ backend: "hot/1", s3Inventory: "/é/manifest.json", dryRun: true }),
    ),
  inventories: (api) => api.inventories(),
  drift: (api) => Array.fromAsync(api.drift({ backend: "hot/1", kind: "lost", limit: 3 })),
  exportDrift: (api) => api.exportDrift({ file: "/exports/é.parquet", kind: "changed" }),
  importAccesses: (api) =>
    api.importAccesses("2026/03 batch?", linesOf(["{}", "é", "{}"]), {
      format: "auto",
      prefix: "/a b&c",
    }),
  storeObject: (api) =>
    api.storeObject(
      {
        cid: "bafkreié",
        size: 6,
        profile: "unixfs-v1-2025",
        form: "file",
        names: ["/é, “b”"],
        tags: ["a=b&c"],
        modified: "2026-01-02T03:04:05.000Z",
      },
      bytesOf(["content ", "é"]),
    ),
  objectSources: (api) => api.objectSources(path),
  readObject: async (api) =>
    Buffer.concat(
      await Array.fromAsync(
        api.readObject({ object: path, backend: "hot/1", form: "file", offset: 7 }),
      ),
    ),
  verify: (api) => Array.fromAsync(api.verify({ backend: "hot", dryRun: true })),
  setHold: (api) => api.setHold(path, true, "legal, “quoted”"),
  setCordon: (api) => api.setCordon("hot/1", true),
  collectGarbage: (api) => Array.fromAsync(api.collectGarbage({ backend: "kubo/1", dryRun: true })),
  runs: (api) => api.runs(),
  run: (api) => api.run("run-1"),
  controlRun: (api) => api.controlRun("run/1", "pause"),
  queryArrow: async (api) =>
    Buffer.concat(
      await Array.fromAsync(api.queryArrow("select 'é' -- ?&\n", { snapshot: "newest" })),
    ),
  exportQuery: (api) =>
    api.exportQuery({ text: "select 'é'", snapshot: "bafy", file: "/exports/é.arrow" }),
  publishBatch: (api) => api.publishBatch({ file: "/data/é.arrow", tags: { kind: "é", a: "b c" } }),
  batches: (api) => api.batches({ tags: { kind: "é&?" }, limit: 7 }),
  batch: async (api) => Buffer.concat(await Array.fromAsync(api.batch("bafy/a b"))),
  followBatches: (api) => Array.fromAsync(api.followBatches("1.20")),
  checkBatches: (api) => api.checkBatches(["bafybatch"]),
  exportBatch: (api) => api.exportBatch({ batch: "newest", file: "/exports/é.car" }),
  collectBatches: (api) => api.collectBatches({ olderThanMs: 1_000, keep: 3, dryRun: true }),
  takeSnapshot: (api) => api.takeSnapshot({ full: true }),
  snapshots: (api) => api.snapshots({ on: "s3/é" }),
  findSnapshot: (api) => api.findSnapshot("bafy/a b"),
  pushSnapshot: (api) => api.pushSnapshot({ snapshot: "newest", to: "s3", full: true }),
  pullSnapshot: (api) => api.pullSnapshot({ snapshot, from: "s3/é", passing: true }),
  exportSnapshot: (api) => api.exportSnapshot({ snapshot: "newest", file: "/exports/é.car" }),
  diffSnapshots: (api) => api.diffSnapshots({ from: "bafy/a b", to: "newest" }),
  collectSnapshots: (api) => api.collectSnapshots({ keep: 3, dryRun: true, on: "s3" }),
  audit: (api) => Array.fromAsync(api.audit({ where: 'kind = "proof"', run: "run/1", limit: 5 })),
  exportAudit: (api) => api.exportAudit({ file: "/exports/a.parquet", since: plan.at }),
  control: (api) =>
    api.control({
      verb: "cancel",
      ...sampleTarget,
      reason: "é",
      where: "size > 1KiB",
    }),
  retry: (api) =>
    api.retry({ run: "run/1", cause: "TIMEOUT", where: "size > 1KiB", at: plan.at, dryRun: true }),
  why: (api) => api.why(path),
  pauses: (api) => api.pauses(),
  setPriority: (api) => api.setPriority("run/1", -7),
  holdObjects: (api) => api.holdObjects({ where: "held", held: false, reason: "é", dryRun: true }),
  failures: (api) =>
    api.failures({
      cause: "CORRUPT",
      where: "size > 1KiB",
      quarantined: true,
      offset: 2,
      limit: 3,
    }),
  dismissFailures: (api) => api.dismissFailures({ cause: "REFUSED" }, "no longer wanted"),
  releaseQuarantine: (api) => api.releaseQuarantine({ object: path }, "mended"),
  suspensions: (api) => api.suspensions(),
  approvals: (api) => api.approvals(),
  undoRun: (api) => api.undoRun({ run: "run-1", dryRun: true, override: ["capacity"] }),
  diffPlans: (api) =>
    api.diffPlans({
      from: { planFile: "/plans/monday" },
      to: { policies: ["/policies/new"] },
      at: plan.at,
      samples: 5,
    }),
  decideApproval: (api) =>
    api.decideApproval({
      plan: "run-1",
      verdict: "approve",
      reason: "große Wanderung",
      expectDigest: "bafkreirows",
      allowSubset: true,
    }),
  releaseSuspension: (api) => api.releaseSuspension("cool", "mended"),
  repairs: (api) => api.repairs(5),
  reportOutage: (api) =>
    api.reportOutage({ backend: "hot", node: "n", code: "NO_SPACE", message: "full", bytes: 7 }),
  schedules: (api) => api.schedules(),
  upcomingStarts: (api) => api.upcomingStarts("cool", 7),
  runSchedule: (api) => api.runSchedule("cool"),
  setScheduleEnabled: (api) => api.setScheduleEnabled("cool", false, "“quarter” close"),
  events: (api) => Array.fromAsync(api.events("a/b é")),
  checkAudit: (api) => api.checkAudit(),
  limits: (api) => api.limits(),
  setLimits: (api) =>
    api.setLimits({ backend: "hot/1", bandwidth: "10M:100k", concurrency: 2, reason: "é" }),
  resetLimits: (api) => api.resetLimits("hot/1"),
  limitShares: (api) => api.limitShares(sampleShareRequest),
  nodes: (api) => api.nodes(),
  heartbeat: (api) => api.heartbeat(sampleNode),
  segment: (api) => api.segment("bafkreiplan", 0, 1_000),
  segmentNames: (api) => api.segmentNames("bafkreiplan", 0, 1_000),
  stepControls: (api) => api.stepControls([sampleStep, { ...sampleStep, victim: null }]),
};

describe.each(["socket", "loopback"] as const)("over a %s", (kind) => {
  test.each(Object.entries(everyMethod))(
    "%s reaches the engine with the same arguments and comes back the same",
    async (_, call) => {
      const direct: Calls = [];
      const remote: Calls = [];
      const expected = await call(sampleEngine(direct));
      await using served = await serveEngine(sampleEngine(remote), kind);
      expect(await call(served.client)).toEqual(expected);
      expect(remote).toEqual(direct);
      expect(remote).toHaveLength(1);
    },
  );
});

test("every answer has the shape its route declares", async () => {
  await using served = await serveEngine(sampleEngine());
  for (const { operation, answer } of allRoutes) {
    const call = (everyMethod as Partial<Record<string, Call>>)[operation];
    if (!call || !("schema" in answer)) continue;
    const value = JSON.parse(JSON.stringify(await call(served.client), withoutBigints)) as unknown;
    const items =
      answer.kind === "ndjson" || answer.kind === "events" ? (value as unknown[]) : [value];
    const problems = items.map((item) => answer.schema.safeParse(item).error);
    expect({ operation, problems: problems.filter(Boolean) }).toEqual({ operation, problems: [] });
  }
});

test("every method of the engine has a route of its name", () => {
  const operations = allRoutes.map((route) => route.operation);
  expect(operations).toEqual(expect.arrayContaining(Object.keys(everyMethod)));
  expect(new Set(operations).size).toBe(operations.length);
});

test("relative paths are those of the caller, not of the controller", async () => {
  const calls: Calls = [];
  await using served = await serveEngine(sampleEngine(calls));
  await Array.fromAsync(served.client.importDirectory({ path: "some/dir", backend: "hot" }));
  await served.client.validate(["a.yaml"]);
  await served.client.plan({ out: "out/plan", policies: ["a.yaml"] });
  await served.client.apply({ planFile: "out/plan.plan.json" });
  expect(calls).toEqual([
    ["importDirectory", { path: resolve("some/dir"), backend: "hot" }],
    ["validate", [resolve("a.yaml")], undefined],
    ["plan", { out: resolve("out/plan"), policies: [resolve("a.yaml")] }],
    ["apply", { planFile: resolve("out/plan.plan.json") }],
  ]);
});

test("a worker may ask about many steps in one call", async () => {
  await using served = await serveEngine(sampleEngine());
  const steps = Array.from({ length: 2_000 }, (_, number) => ({
    ...sampleStep,
    runId: `run-${number}`,
  }));
  expect(await served.client.stepControls(steps)).toHaveLength(2_000);
  expect(await served.client.stepControls([])).toEqual([]);
});

async function* bytesOf(texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield await Promise.resolve(Buffer.from(text));
}

async function* linesOf(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}

function withoutBigints(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
