import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { WaitReason } from "#model/wait.ts";
import { type QueueServer, queueServers } from "../conformance/queue-servers.ts";
import { until } from "../conformance/test-engine.ts";
import { runEngine, type RunningEngine } from "./running-engine.ts";

const kind = queueServers.find(({ missing }) => missing === undefined) ?? queueServers[0];
const skipped = process.getuid?.() === 0 ? mountProblem() : "only root may mount a disk of its own";
const why = skipped === undefined ? "" : ` (skipped: ${skipped})`;
const files = 6;
const bytes = 600_000;
const waitMs = 90_000;

let server: QueueServer;
beforeAll(async () => {
  server = await kind.start();
});
afterAll(async () => {
  await server.stop();
});

const policy = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: keep}
rules:
  - {name: on-cold, where: size > 0, ensure: {copies: 1, on: backend = "cold"}}
`;

test.skipIf(skipped !== undefined)(
  `on a disk that fills up the lane waits for capacity, and the run ends complete once there is room${why}`,
  { timeout: 2 * waitMs },
  async () => {
    await using running = await runEngine({ queueUrl: server.url, policy });
    const disk = await staged(running, "2m");
    const { id } = await running.engine.apply({ override: ["objects"] });
    await untilHeld(running, "capacity");
    await onlyWholeCopies(running, disk);
    expect((await running.engine.run(id)).progress).toMatchObject({ failed: 0 });
    mount("-o", "remount,size=20m", disk);
    await endsComplete(running, id, disk);
  },
);

test.skipIf(skipped !== undefined)(
  `on a disk that takes no writes the lane waits, and the run ends complete once it does${why}`,
  { timeout: 2 * waitMs },
  async () => {
    await using running = await runEngine({ queueUrl: server.url, policy });
    const disk = await staged(running, "20m");
    mount("-o", "remount,ro", disk);
    const { id } = await running.engine.apply({ override: ["objects"] });
    await untilHeld(running, "outage");
    expect(await copiesOnCold(running)).toBe(0);
    expect((await running.engine.run(id)).progress).toMatchObject({ done: 0, failed: 0 });
    mount("-o", "remount,rw", disk);
    await endsComplete(running, id, disk);
  },
);

/** Content on `hot`, and a disk of that size for `cold`. */
async function staged({ folder, engine }: RunningEngine, size: string): Promise<string> {
  const disk = join(folder, "cold");
  await mkdir(disk, { recursive: true });
  mount("-t", "tmpfs", "-o", `size=${size}`, "tmpfs", disk);
  onTestFinished(() => void spawnSync("umount", ["-l", disk]));
  const source = join(folder, "source");
  await mkdir(source);
  for (let at = 0; at < files; at += 1) {
    await writeFile(join(source, `${at}.bin`), randomBytes(bytes));
  }
  await Array.fromAsync(engine.importDirectory({ path: source, backend: "hot" }));
  return disk;
}

async function untilHeld({ engine }: RunningEngine, reason: WaitReason): Promise<void> {
  await until(async () => {
    const { held } = await engine.status();
    return held.some(({ wait, work }) => wait.reason === reason && work.lane === "cold");
  }, waitMs);
}

async function endsComplete(running: RunningEngine, id: string, disk: string): Promise<void> {
  await until(async () => (await running.engine.run(id)).endedAt !== undefined, waitMs);
  expect(await running.engine.run(id)).toMatchObject({
    state: "completed",
    progress: { done: files, failed: 0, skipped: 0 },
  });
  await onlyWholeCopies(running, disk);
  expect(await copiesOnCold(running)).toBe(files);
}

/** What the index counts is there in full. */
async function onlyWholeCopies(running: RunningEngine, disk: string): Promise<void> {
  const counted = await copiesOnCold(running);
  const entries = await readdir(disk, { recursive: true, withFileTypes: true });
  const stored = entries.filter((entry) => entry.isFile() && entry.name.startsWith("baf"));
  expect(counted).toBeLessThanOrEqual(stored.length);
  const checks = await Array.fromAsync(running.engine.verify({ backend: "cold" }));
  expect(checks.at(-1)).toMatchObject({ verified: counted, absent: 0, corrupt: 0 });
}

async function copiesOnCold({ engine }: RunningEngine): Promise<number> {
  const objects = await engine.objects({ limit: 100 });
  return objects.filter(({ backends }) => backends.includes("cold")).length;
}

function mount(...args: readonly string[]): void {
  const { status, stderr } = spawnSync("mount", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`mount ${args.join(" ")}: ${stderr}`);
}

function mountProblem(): string | undefined {
  const { status } = spawnSync("unshare", ["--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]);
  return status === 0 ? undefined : "no disk can be mounted here";
}
