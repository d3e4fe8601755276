import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { queueServers, type QueueServer } from "../conformance/queue-servers.ts";
import { Workspace } from "../integration/workspace.ts";
import { coolDown, expectWholeRun, makeFiles, runCompletes, stateOf } from "./takeover-run.ts";

let workspace: Workspace | undefined;
let server: QueueServer | undefined;

afterEach(async () => {
  await workspace?.dispose();
  await server?.stop();
  [workspace, server] = [undefined, undefined];
});

const kinds = [
  { name: "the embedded PostgreSQL of the directory", start: undefined },
  ...queueServers.filter(({ name, missing }) => name === "Redis" && missing === undefined),
];

describe.each(kinds)("two controllers on one data directory, on $name", (kind) => {
  test("kill -9 of the active one in mid-run: the standby goes on within seconds", async () => {
    const space = await open(kind.start);
    const first = await space.startController();
    const second = space.start("controller");
    await said(space, "waiting as standby: the controller on node");
    for (const name of ["worker-1", "worker-2"]) space.start("worker", "--node-name", name);
    await space.ok("apply", "--yes", "--no-wait", "--override", "objects");
    await expect.poll(() => doneOf(space), { timeout: 120_000 }).toBeGreaterThan(0);

    const killedAt = performance.now();
    first.kill("SIGKILL");
    await expect
      .poll(() => stateOf(space.path), { timeout: 120_000, interval: 20 })
      .toMatchObject({ pid: second.pid });
    const tookMs = performance.now() - killedAt;
    console.info(`took over after ${Math.round(tookMs)} ms, on ${kind.name}`);
    expect(tookMs).toBeLessThan(10_000);
    await runCompletes(space);
    await expectWholeRun(space);
  }, 180_000);

  test("an active one that stops cleanly hands over at once, and the queue stays up", async () => {
    const space = await open(kind.start);
    const first = await space.startController();
    const second = space.start("controller");
    await said(space, "waiting as standby: the controller on node");
    first.kill("SIGTERM");
    await once(first, "exit");
    await expect
      .poll(() => stateOf(space.path), { timeout: 120_000 })
      .toMatchObject({ pid: second.pid });
    await space.ok("apply", "--yes", "--no-wait", "--override", "objects");
  }, 300_000);

  test("without standby a second one ends with exit code 11 and says who is active", async () => {
    const space = await open(kind.start);
    const first = await space.startController();
    const { code, stderr } = await space.run("controller", "--no-standby");
    expect(code).toBe(11);
    expect(stderr).toContain(`(process ${first.pid}, epoch 1) is active`);
  }, 300_000);
});

async function open(start: (() => Promise<QueueServer>) | undefined): Promise<Workspace> {
  server = await start?.();
  workspace = await Workspace.create({
    policies: { "cool-down": coolDown },
    ...(server === undefined ? {} : { queueUrl: server.url }),
  });
  await makeFiles(workspace.path);
  await workspace.ok("import", "dir", join(workspace.path, "source"), "--backend", "hot");
  return workspace;
}

async function said(space: Workspace, line: string): Promise<void> {
  await expect
    .poll(() => readFile(space.log, "utf8").catch(() => ""), { timeout: 120_000 })
    .toContain(line);
}

async function doneOf(space: Workspace): Promise<number> {
  const { runs } = await space.json<{ runs: { progress: { done: number } }[] }>("runs");
  return runs[0]?.progress.done ?? 0;
}
