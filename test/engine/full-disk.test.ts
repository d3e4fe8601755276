import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { glob, mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Wait, WaitReason } from "#model/wait.ts";
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
    await using running = await onDisk("2m");
    const { disk } = running;
    const { id } = await running.engine.apply({ override: ["objects"] });
    const { message, remedy } = await heldFor(running, "capacity");
    expect(message).toContain("the disk or quota is full (ENOSPC)");
    expect(remedy).toContain("make room on cold");
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
    await using running = await onDisk("20m");
    const { disk } = running;
    mount("-o", "remount,ro", disk);
    const { id } = await running.engine.apply({ override: ["objects"] });
    const { message, remedy } = await heldFor(running, "outage");
    expect(message).toContain("backend cold takes no writes");
    expect(remedy).toContain("let the engine write there");
    expect(await copiesOnCold(running)).toBe(0);
    expect((await running.engine.run(id)).progress).toMatchObject({ done: 0, failed: 0 });
    mount("-o", "remount,rw", disk);
    await endsComplete(running, id, disk);
  },
);

/** An engine with content on `hot`, and a disk of that size mounted for `cold`. */
async function onDisk(size: string): Promise<RunningEngine & { readonly disk: string }> {
  let disk = "";
  const prepare = async (folder: string): Promise<void> => {
    disk = join(folder, "cold");
    await mkdir(disk);
    mount("-t", "tmpfs", "-o", `size=${size}`, "tmpfs", disk);
  };
  const running = await runEngine({ queueUrl: server.url, policy, prepare });
  const source = join(running.folder, "source");
  await mkdir(source);
  for (let at = 0; at < files; at += 1) {
    await writeFile(join(source, `${at}.bin`), randomBytes(bytes));
  }
  await Array.fromAsync(running.engine.importDirectory({ path: source, backend: "hot" }));
  // A store is made where there is none: before its disk takes no writes any more.
  await running.engine.backends();
  return {
    ...running,
    disk,
    async [Symbol.asyncDispose]() {
      await running.engine.close();
      expect(spawnSync("umount", [disk]).status).toBe(0);
      await rm(running.folder, { recursive: true, force: true });
    },
  };
}

/** Waits until the rule that knows the backend's state holds its lane for that reason. */
async function heldFor({ engine }: RunningEngine, reason: WaitReason): Promise<Wait> {
  const find = async () => {
    const { held } = await engine.status();
    return held.find(
      ({ wait, work }) =>
        wait.reason === reason && work.lane === "cold" && wait.message.startsWith("backend cold"),
    );
  };
  await until(async () => (await find()) !== undefined, waitMs);
  const found = await find();
  if (found === undefined) throw new Error(`the lane is not held for ${reason} any more`);
  return found.wait;
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

/** What the index counts is there in full, and nothing that was half written remains. */
async function onlyWholeCopies(
  { engine }: Pick<RunningEngine, "engine">,
  disk: string,
): Promise<void> {
  const counted = await copiesOnCold({ engine });
  const stored = await Array.fromAsync(glob("objects/*/*", { cwd: disk }));
  expect(counted).toBeLessThanOrEqual(stored.length);
  for (const path of stored) expect((await stat(join(disk, path))).size).toBe(bytes);
  expect(await readdir(join(disk, "incoming"))).toEqual([]);
  const checks = await Array.fromAsync(engine.verify({ backend: "cold" }));
  expect(checks.at(-1)).toMatchObject({ verified: counted, absent: 0, corrupt: 0 });
}

async function copiesOnCold({ engine }: Pick<RunningEngine, "engine">): Promise<number> {
  const objects = (await Array.fromAsync(engine.objects({ limit: 100 }))).flat();
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
