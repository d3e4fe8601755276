import { randomBytes } from "node:crypto";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { BackendReport } from "#model/engine-api.ts";
import type { Run } from "#model/run.ts";
import type { WhyReport } from "#model/why.ts";
import { queueServers } from "../conformance/queue-servers.ts";
import { until } from "../conformance/test-engine.ts";
import { startVersitygw, type VersitygwServer, versitygwMissing } from "../services/versitygw.ts";
import { addFarBackend } from "./far-backend.ts";
import { Workspace } from "./workspace.ts";

const [, kind] = queueServers;
const why = versitygwMissing() ?? kind.missing;
const files = 12;
const waitMs = 90_000;

const replicate = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: archive}
rules:
  - {name: to-bucket, where: size > 0, ensure: {copies: 1, on: driver = "s3"}}
`;
const clear = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: archive}
rules:
  - {name: clear-hot, where: size > 0, evict: {from: tier = hot}}
`;

describe.skipIf(why !== undefined)(
  `a bucket whose server dies in mid-run${why ? ` (skipped: ${why})` : ""}`,
  () => {
    test("its lane waits, nothing fails, removals that rest on it wait, and all goes on by itself", async () => {
      const queue = await kind.start();
      onTestFinished(() => queue.stop());
      const { workspace, server } = await open(queue.url);
      await workspace.controllerAnswers(workspace.start("up"));
      await workspace.ok("apply", "--yes", "--no-wait");
      await until(async () => (await stored(join(server.folder, "archive"))).length > 0, waitMs);
      await server.kill();
      await until(async () => (await farState(workspace)) === "out", waitMs);
      await until(() => waitsFor(workspace, "outage"), waitMs);
      expect((await lastRun(workspace)).progress.failed).toBe(0);
      await server.startAgain();
      await until(async () => (await lastRun(workspace)).endedAt !== undefined, waitMs);
      expect(await lastRun(workspace)).toMatchObject({
        state: "completed",
        progress: { done: files, failed: 0 },
      });
      expect(await farState(workspace)).toBe("up");

      await writeFile(join(workspace.path, "policies", "archive.thermocline.yaml"), clear);
      await server.kill();
      await until(async () => (await farState(workspace)) === "out", waitMs);
      await workspace.ok("apply", "--yes", "--no-wait", "--override", "objects");
      // Several rounds of the dispatcher pass between two probes: time enough to do it wrong.
      const probe = (await far(workspace))?.health.nextProbe;
      await until(async () => (await far(workspace))?.health.nextProbe !== probe, waitMs);
      expect(await lastRun(workspace)).toMatchObject({
        progress: { done: 0, failed: 0, skipped: 0 },
      });
      expect((await stored(workspace.storage("hot"))).length).toBe(files);
      await server.startAgain();
      await until(async () => (await lastRun(workspace)).endedAt !== undefined, waitMs);
      expect(await lastRun(workspace)).toMatchObject({
        state: "completed",
        progress: { done: files, failed: 0, skipped: 0 },
      });
      expect(await stored(workspace.storage("hot"))).toEqual([]);
      expect((await stored(join(server.folder, "archive"))).length).toBe(files);
    }, 400_000);
  },
);

async function open(queueUrl: string): Promise<{ workspace: Workspace; server: VersitygwServer }> {
  const server = await startVersitygw();
  onTestFinished(() => server.stop());
  const workspace = await Workspace.create({ policies: { archive: replicate }, queueUrl });
  onTestFinished(() => workspace.dispose());
  // So slow that the run is under way when its server dies.
  await addFarBackend(workspace, server, { fields: 'limits: {bandwidth: "512KiB/s"}' });
  const source = join(workspace.path, "source");
  await mkdir(source);
  for (let at = 0; at < files; at += 1) {
    await writeFile(join(source, `${at}.bin`), randomBytes(256 * 1024 + at));
  }
  await workspace.ok("import", "dir", source, "--backend", "hot");
  return { workspace, server };
}

async function far(workspace: Workspace): Promise<BackendReport | undefined> {
  const { backends } = await workspace.json<{ backends: BackendReport[] }>("backends");
  return backends.find(({ name }) => name === "far");
}

async function farState(workspace: Workspace): Promise<string | undefined> {
  return (await far(workspace))?.health.state;
}

async function waitsFor(workspace: Workspace, reason: string): Promise<boolean> {
  const { id } = await lastRun(workspace);
  const { waiting } = await workspace.json<WhyReport>("why", id);
  return waiting.some(({ wait }) => wait.reason === reason);
}

async function lastRun(workspace: Workspace): Promise<Run> {
  const { runs } = await workspace.json<{ runs: Run[] }>("runs");
  const [run] = runs;
  if (run === undefined) throw new Error("there is no run");
  return run;
}

async function stored(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.startsWith("baf"))
    .map((entry) => entry.name);
}
