import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { findController } from "#api/find-controller.ts";
import { sharedQueueServer } from "../conformance/shared-queue-server.ts";
import { until } from "../conformance/test-engine.ts";
import { allOnCold } from "./all-on-cold.ts";
import { Workspace } from "./workspace.ts";

const server = sharedQueueServer();
const waitMs = 60_000;
const files = 3;

let workspace: Workspace;
afterEach(() => workspace.dispose());

test("a disk that is mounted after its worker has started is served without a restart", async () => {
  workspace = await Workspace.create({ policies: { all: allOnCold }, queueUrl: server.url });
  await workspace.ok("doctor");
  const cold = workspace.storage("cold");
  const file = join(workspace.path, "thermocline.yaml");
  const config = await readFile(file, "utf8");
  await writeFile(file, config.replace("./storage/cold", "./storage/cold, create: false"));
  await rename(cold, `${cold}-elsewhere`);
  const source = join(workspace.path, "content");
  await mkdir(source);
  for (let at = 0; at < files; at += 1) await writeFile(join(source, `${at}.txt`), `content ${at}`);
  await workspace.startController();
  workspace.start("worker", "--node-name", "worker-1");
  await workspace.ok("import", "dir", source, "--backend", "hot");
  const api = await findController(join(workspace.path, ".thermocline", "controller.json"));
  if (api === undefined) throw new Error("no controller");
  const { id } = await api.apply({ override: ["objects"] });
  await until(async () => (await api.why(id)).waiting.length > 0, waitMs);
  expect((await api.run(id)).progress.done).toBe(0);
  expect(await readFile(workspace.log, "utf8")).toContain("check that its disk is mounted");

  await rename(`${cold}-elsewhere`, cold);
  await until(async () => (await api.run(id)).endedAt !== undefined, waitMs);
  expect(await api.run(id)).toMatchObject({ state: "completed", progress: { done: files } });
  expect((await readdir(join(cold, "objects"))).length).toBe(files);
  expect((await workspace.audit()).problems).toBe("");
}, 180_000);
