import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { type Config, loadConfig } from "#config.ts";
import { dataPaths } from "#config/data-paths.ts";
import { restoreSnapshot } from "#engine/snapshots/restore-snapshot.ts";
import { SnapshotStore } from "#engine/snapshots/snapshot-store.ts";
import { ObjectIndex } from "#index/object-index.ts";
import { loadDrivers } from "#registry.ts";
import { sharedQueueServer } from "../../conformance/shared-queue-server.ts";
import { temporaryFolder } from "../../index/open-index.ts";
import { coolPolicy } from "../cool-policy.ts";
import { type RunningEngine, runEngine } from "../running-engine.ts";

const server = sharedQueueServer();
let drivers: Awaited<ReturnType<typeof loadDrivers>>;

beforeAll(async () => {
  drivers = await loadDrivers();
});

async function restored(running: RunningEngine, now: Date, ledger?: string) {
  const { folder } = running;
  const config = await loadConfig({ cwd: folder, env: {}, hostname: "test-node", drivers });
  const store = new SnapshotStore(dataPaths(config.dataDirectory).snapshots);
  const here: Config = { ...config, dataDirectory: join(await temporaryFolder(), "data") };
  const report = await restoreSnapshot(store, { config: here, reference: "newest", now, ledger });
  const index = await ObjectIndex.open(report.path, { now: () => now });
  onTestFinished(() => index.close());
  return { report, index };
}

test("runs under way at the snapshot are paused, and cancelled where the ledger tells their end", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy: coolPolicy });
  const { engine } = running;
  await running.importFiles(3);
  // What it wants to do waits, while it is running.
  await engine.control({ verb: "pause", scope: "backend", name: "cold", reason: "disks" });
  const run = await engine.apply({ override: ["objects"] });
  await engine.takeSnapshot({});
  const other = await restored(running, new Date());
  expect(other.report.runs).toEqual([
    { id: run.id, state: "paused", reason: expect.stringContaining("is not known") as string },
  ]);
  expect(other.report).not.toHaveProperty("replayed");
  expect(await other.index.run(run.id)).toMatchObject({ state: "paused" });
  const paused = (await other.index.controls.pauses()).map(({ scope, name }) => `${scope} ${name}`);
  expect(paused.toSorted()).toEqual(["backend cold", `run ${run.id}`]);

  await engine.control({ verb: "cancel", scope: "run", name: run.id, reason: "wrong rule" });
  const ledger = join(running.folder, "audit.parquet");
  await engine.exportAudit({ file: ledger });
  const told = await restored(running, new Date(), ledger);
  expect(told.report.runs).toMatchObject([{ id: run.id, state: "cancelled" }]);
  expect(await told.index.run(run.id)).toMatchObject({
    state: "cancelled",
    progress: { remaining: 0, cancelled: 3 },
  });
  expect(await told.index.checkAudit()).toMatchObject({ findings: [] });
});

test("a run that was paused for a time waits for a person after that time as well", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy: coolPolicy });
  const { engine } = running;
  await running.importFiles(2);
  await engine.control({ verb: "pause", scope: "backend", name: "cold", reason: "disks" });
  const run = await engine.apply({ override: ["objects"] });
  const until = new Date(Date.now() + 60_000).toISOString();
  const night = { scope: "run", name: run.id, reason: "night", until } as const;
  await engine.control({ ...night, verb: "pause" });
  await engine.takeSnapshot({});
  const later = new Date(Date.now() + 3_600_000);
  const { report, index } = await restored(running, later);
  const words = expect.stringMatching(/not known.*paused before by \S+: night/) as string;
  expect(report.runs).toEqual([{ id: run.id, state: "paused", reason: words }]);
  await index.controls.endExpiredPauses(later);
  expect(await index.run(run.id)).toMatchObject({ state: "paused" });
  const pause = (await index.controls.pauses()).find(({ scope }) => scope === "run");
  expect(pause).toMatchObject({ name: run.id, until: undefined });
});

test.for([
  { title: "some objects", more: { where: "size > 1B" }, scope: "everything", name: "" },
  { title: "a policy", more: {}, scope: "policy", name: "cool" },
] as const)(
  "what was cancelled of a run after the snapshot is cancelled again: $title",
  async ({ more, scope, name }) => {
    await using running = await runEngine({ queueUrl: server.url, policy: coolPolicy });
    const { engine, folder } = running;
    await mkdir(join(folder, "source"), { recursive: true });
    await writeFile(join(folder, "source", "a"), "a");
    await writeFile(join(folder, "source", "b"), "bb");
    await writeFile(join(folder, "source", "c"), "ccc");
    const source = join(folder, "source");
    await Array.fromAsync(engine.importDirectory({ path: source, backend: "hot" }));
    await engine.control({ verb: "pause", scope: "backend", name: "cold", reason: "disks" });
    const run = await engine.apply({ override: ["objects"] });
    await engine.takeSnapshot({});
    const order = { verb: "cancel", scope, name, reason: "wrong", ...more } as const;
    await engine.control(order);
    const cancelled = scope === "policy" ? 3 : 2;
    expect(await engine.run(run.id)).toMatchObject({ progress: { cancelled } });
    const ledger = join(folder, "audit.parquet");
    await engine.exportAudit({ file: ledger });
    const { report, index } = await restored(running, new Date(), ledger);
    expect(report).toMatchObject({ runs: [{ id: run.id }], replayed: { cancelled } });
    expect(await index.run(run.id)).toMatchObject({
      progress: { remaining: 3 - cancelled, cancelled },
    });
    expect(await index.checkAudit()).toMatchObject({ findings: [] });
  },
);

const scratch = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: scratch}
schedule: {every: 1h}
rules:
  - name: drop
    where: size > 0
    delete: {grace: 7d}
`;

test("marks for deletion get a new grace, and schedules catch up with nothing", async () => {
  let at = new Date("2027-01-01T00:00:00Z");
  await using running = await runEngine({ queueUrl: server.url, policy: scratch, now: () => at });
  await running.importFiles(3);
  await running.applyToEnd();
  await running.engine.takeSnapshot({});
  await running.engine.setCordon("warm", true);
  const disabledAt = at.toISOString();
  await running.engine.setScheduleEnabled("scratch", false, "moving house");
  const ledger = join(running.folder, "audit.parquet");
  await running.engine.exportAudit({ file: ledger });
  at = new Date("2027-01-08T00:10:00Z");
  const { report, index } = await restored(running, at, ledger);
  expect(report).toMatchObject({ graces: 3, runs: [], replayed: { cordons: 1, schedules: 1 } });
  await using session = await index.session();
  const rows = await session.rows({
    text: "SELECT DISTINCT tombstoned FROM object",
    parameters: [],
  });
  expect(rows).toEqual([{ tombstoned: at }]);
  for (const { name, state } of await index.starters.all()) {
    expect([name, state.cursor]).toEqual(["schedule", at.toISOString()]);
    const reason = expect.stringContaining("moving house") as string;
    expect(state.disabled).toMatchObject({ reason, at: disabledAt });
  }
});
