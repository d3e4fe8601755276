import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { loadConfig } from "#config.ts";
import { BackendPool } from "#engine/backend-pool.ts";
import { installationOf } from "#engine/snapshots/installation-of.ts";
import { SnapshotDesk } from "#engine/snapshots/snapshot-desk.ts";
import { SnapshotSchedule } from "#engine/snapshots/snapshot-schedule.ts";
import type { EngineError } from "#model/engine-error.ts";
import { loadDrivers } from "#registry.ts";
import { sharedQueueServer } from "../../conformance/shared-queue-server.ts";
import { coolPolicy } from "../cool-policy.ts";
import { runEngine } from "../running-engine.ts";
import { filledIndex, readObjects, start } from "./filled-index.ts";

const server = sharedQueueServer();
const everyMs = 6 * 3_600_000;

const resolveSecret = () => Promise.reject(new Error("no secret is needed"));

/** A schedule for two backends, with a clock that the test sets. */
async function scheduled() {
  const { index } = await filledIndex(20);
  const folder = await mkdtemp(join(tmpdir(), "thermocline-schedule-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(
    join(folder, "thermocline.yaml"),
    `apiVersion: thermocline/v1
backends:
  - {name: near, driver: local, tier: warm, options: {path: ./near}}
  - {name: far, driver: local, tier: cold, options: {path: ./far, create: false}}
`,
  );
  const definitions = await loadDrivers();
  const input = { cwd: folder, env: {}, hostname: "test", drivers: definitions };
  const config = await loadConfig(input);
  const { backends } = config;
  const pool = new BackendPool({ backends, definitions, resolveSecret });
  onTestFinished(() => pool.close());
  let hours = 0;
  const now = () => new Date(start.getTime() + hours * 3_600_000);
  const desk = new SnapshotDesk({ config, pool, installation: () => installationOf(index), now });
  const errors: EngineError[] = [];
  const make = (push: readonly string[]) =>
    new SnapshotSchedule({
      desk,
      take: () => desk.take(index, { now: now() }),
      everyMs,
      keep: 2,
      push,
      now,
      onError: (error) => errors.push(error),
    });
  return {
    desk,
    index,
    folder,
    errors,
    make,
    at: (hour: number) => {
      hours = hour;
    },
    change: (name: string) => readObjects(index, name, [3]),
    here: async () => (await desk.methods.snapshots({})).snapshots.map(({ cid }) => cid),
    on: async (backend: string) =>
      (await desk.methods.snapshots({ on: backend })).snapshots.map(({ cid }) => cid),
  };
}

test("a snapshot is taken when it is due, pushed, and few are kept on both sides", async () => {
  const { make, at, change, here, on, desk } = await scheduled();
  const schedule = make(["near"]);
  expect(await schedule.look()).toBe(3_600_000);
  expect(await here()).toHaveLength(1);
  expect(await on("near")).toEqual(await here());

  at(5);
  await change("five");
  await schedule.look();
  expect(await here()).toHaveLength(1);
  for (const hour of [6, 12, 18]) {
    at(hour);
    await change(`hour ${hour}`);
    await schedule.look();
  }
  expect(await here()).toHaveLength(2);
  expect(await on("near")).toEqual(await here());
  const newest = new Date(start.getTime() + 18 * 3_600_000);
  expect([...desk.newest]).toEqual([
    ["here", newest],
    ["near", newest],
  ]);
});

test("an index that did not change has no new snapshot, and is looked at when one is due", async () => {
  const { make, at, here } = await scheduled();
  const schedule = make([]);
  await schedule.look();
  at(7);
  expect(await schedule.look()).toBe(3_600_000);
  at(12.5);
  expect(await schedule.look()).toBe(1_800_000);
  expect(await here()).toHaveLength(1);
});

test("after a restart none is taken before it is due, and what backends lack is pushed", async () => {
  const { make, at, change, here, on } = await scheduled();
  await make([]).look();
  const [first] = await here();
  at(2);
  await change("two");
  await make(["near"]).look();
  expect(await here()).toEqual([first]);
  expect(await on("near")).toEqual([first]);
  at(9);
  await make(["near"]).look();
  expect(await here()).toHaveLength(2);
});

test("a backend that is away is told of and caught up with; the others get theirs", async () => {
  const { make, at, folder, errors, on } = await scheduled();
  const schedule = make(["far", "near"]);
  expect(await schedule.look()).toBe(300_000);
  expect(errors).toHaveLength(1);
  expect(errors[0]?.message).toContain("pushing to far failed");
  expect(await on("near")).toHaveLength(1);

  await mkdir(join(folder, "other"));
  const store = join(folder, "other", "thermocline-store.json");
  await writeFile(store, '{"store":"thermocline","layout":1}\n');
  await rename(join(folder, "other"), join(folder, "far"));
  at(1);
  expect(await schedule.look()).toBe(3_600_000);
  expect(await on("far")).toEqual(await on("near"));
  expect(errors).toHaveLength(1);
});

test("a snapshot from the future, by a clock that was wrong, does not stop the schedule", async () => {
  const { make, at, change, here, on, desk } = await scheduled();
  at(1_000);
  await make(["near"]).look();
  const [ahead] = await here();
  at(0);
  await change("back");
  const schedule = make(["near"]);
  await schedule.look();
  const [first, second, ...others] = await here();
  expect([second, ...others]).toEqual([ahead]);
  expect(await on("near")).toEqual([first, ahead]);
  expect((await desk.methods.findSnapshot("newest")).cid).toBe(first);
  const pulled = await desk.methods.pullSnapshot({ snapshot: "newest", from: "near" });
  expect(pulled.cid).toBe(first);
  expect([...desk.newest].map(([, takenAt]) => takenAt)).toEqual([start, start]);

  at(6);
  await change("on");
  await schedule.look();
  expect(await here()).toEqual([expect.any(String), first]);
  expect(await on("near")).toEqual(await here());
});

test("a controller takes and pushes them by its configuration, and says how old they are", async () => {
  await using running = await runEngine({
    queueUrl: server.url,
    policy: coolPolicy,
    prepare: async (folder) => {
      const text = "snapshots: {every: 1m, keep: 3, push: [cold]}\n";
      await writeFile(join(folder, "thermocline.yaml"), text, { flag: "a" });
    },
  });
  const { engine, errors } = running;
  await engine.start();
  await expect
    .poll(async () => (await engine.snapshots({ on: "cold" })).snapshots, { timeout: 120_000 })
    .toHaveLength(1);
  await expect
    .poll(() => engine.metrics(), { timeout: 120_000 })
    .toMatch(/thermocline_snapshot_age_seconds\{place="cold"\} \d/);
  expect(errors).toEqual([]);
});
