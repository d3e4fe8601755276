import { spawnSync } from "node:child_process";
import { chown, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { objectFile } from "#drivers/local/object-file.ts";
import type { Run } from "#model/run.ts";
import type { Wait } from "#model/wait.ts";
import type { WhyReport } from "#model/why.ts";
import { freePort } from "../../scripts/services/server-process.ts";
import { type QueueServer, queueServers } from "../conformance/queue-servers.ts";
import { until } from "../conformance/test-engine.ts";
import { Workspace } from "./workspace.ts";

const nobody = 65_534;
const files = 6;
const waitMs = 60_000;
const policy = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: all-on-cold}
rules:
  - {name: copy, where: size > 0, ensure: {copies: 1, on: backend = "cold"}}
`;

const [, redis] = queueServers;
const skipped = redis.missing ?? (canBeNobody() ? undefined : "no process of another user here");

let server: QueueServer | undefined;
let workspace: Workspace;
beforeAll(async () => {
  if (skipped === undefined) server = await redis.start();
});
afterEach(() => workspace?.dispose());
afterAll(async () => {
  await server?.stop();
});

describe.skipIf(skipped !== undefined)(
  `a worker without the rights it needs${skipped === undefined ? "" : ` (skipped: ${skipped})`}`,
  () => {
    test(
      "on the whole store: its lane waits and says what is not allowed, and goes on once it is",
      { timeout: 3 * waitMs },
      async () => {
        workspace = await staged();
        const cold = workspace.storage("cold");
        workspace.startAs(nobody, "worker", "--node-name", "not-allowed");
        await workspace.ok("apply", "--yes", "--no-wait", "--override", "objects");
        const wait = await heldOnCold();
        expect(wait.reason).toBe("outage");
        expect(wait.message).toContain("the file permissions do not allow it (EACCES)");
        expect(wait.remedy).toContain("let the engine write there (permissions");
        expect((await lastRun()).progress).toMatchObject({ done: 0, failed: 0, skipped: 0 });
        expect(await readdir(join(cold, "incoming"))).toEqual([]);
        for (const folder of ["incoming", "objects"]) await chown(join(cold, folder), nobody, 0);
        await until(async () => (await lastRun()).endedAt !== undefined, waitMs);
        expect(await lastRun()).toMatchObject({
          state: "completed",
          progress: { done: files, failed: 0, skipped: 0 },
        });
        expect((await workspace.audit()).problems).toBe("");
      },
    );

    test(
      "on the place of one object: that one fails with cause and remedy, exit code 3, and retry makes it good",
      { timeout: 2 * waitMs },
      async () => {
        workspace = await staged();
        const cold = workspace.storage("cold");
        for (const folder of ["incoming", "objects"]) await chown(join(cold, folder), nobody, 0);
        const { objects } = await workspace.json<{ objects: { cid: string }[] }>("objects", "ls");
        const shard = join(cold, "objects", objectFile(objects[0]?.cid ?? "", "file").shard);
        await mkdir(shard, { mode: 0o755 });
        workspace.startAs(nobody, "worker", "--node-name", "not-allowed");
        const { code } = await workspace.run("apply", "--yes", "--override", "objects");
        expect(code).toBe(3);
        expect((await lastRun()).progress).toMatchObject({ done: files - 1, failed: 1 });
        const { stdout } = await workspace.run("failures");
        expect(stdout).toContain("FORBIDDEN");
        expect(stdout).toContain("the file permissions do not allow it (EACCES)");
        expect(stdout).toContain("grant the credentials what the message names, then retry");
        expect(await readdir(join(cold, "incoming"))).toEqual([]);
        await chown(shard, nobody, 0);
        await workspace.ok("retry", "--backend", "cold", "--yes");
        expect((await workspace.audit()).problems).toBe("");
        expect(await readdir(shard)).toHaveLength(1);
      },
    );
  },
);

/** A controller as root, and content on `hot` that a worker of any user can read. */
async function staged(): Promise<Workspace> {
  const space = await Workspace.create({
    policies: { all: policy },
    ...(server === undefined ? {} : { queueUrl: server.url }),
  });
  const token = join(space.path, "token");
  await writeFile(token, "token-of-this-test-only");
  const address = `127.0.0.1:${await freePort()}`;
  await space.addConfig(
    `api: {listen: "${address}", url: "http://${address}", token: "file:${token}"}\n`,
  );
  const source = join(space.path, "content");
  await mkdir(source);
  for (let at = 0; at < files; at += 1) {
    await writeFile(join(source, `${at}.txt`), `content ${at}`);
  }
  await space.startController();
  await space.ok("import", "dir", source, "--backend", "hot");
  return space;
}

async function lastRun(): Promise<Run> {
  const { runs } = await workspace.json<{ runs: Run[] }>("runs");
  const [run] = runs;
  if (run === undefined) throw new Error("there is no run");
  return run;
}

/** Waits until it is said what the worker was refused. */
async function heldOnCold(): Promise<Wait> {
  let found: Wait | undefined;
  await until(async () => {
    const { waiting } = await workspace.json<WhyReport>("why", (await lastRun()).id);
    found = waiting.find(({ wait }) => wait.message.startsWith("backend cold takes no"))?.wait;
    return found !== undefined;
  }, waitMs);
  if (found === undefined) throw new Error("nothing waits");
  return found;
}

/** Whether we may start processes as another user, who can read this program. */
function canBeNobody(): boolean {
  if (process.getuid?.() !== 0) return false;
  const read = `require("node:fs").accessSync(${JSON.stringify(import.meta.filename)})`;
  return spawnSync(process.execPath, ["-e", read], { uid: nobody, gid: nobody }).status === 0;
}
