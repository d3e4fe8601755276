import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import type { ControlTarget } from "#model/control.ts";
import type { EngineApi } from "#model/engine-api.ts";
import type { Run } from "#model/run.ts";
import { sharedQueueServer } from "../conformance/shared-queue-server.ts";
import { until } from "../conformance/test-engine.ts";
import { allOnCold } from "./all-on-cold.ts";
import { storedBytes } from "./stored-bytes.ts";
import { Workspace } from "./workspace.ts";

const MiB = 1024 * 1024;
/** What the issue asks for: so soon after the order no byte of a paused transfer moves. */
const effectMs = 2_000;

const server = sharedQueueServer();
let workspace: Workspace;
afterEach(() => workspace.dispose());

test("a pause of each scope stills transfers in other processes within two seconds, and survives a killed controller", async () => {
  workspace = await Workspace.create({ policies: { all: allOnCold }, queueUrl: server.url });
  const source = await workspace.writeFiles(16, 6 * MiB);
  const first = await workspace.startController();
  let api = await workspace.api();
  await workspace.ok("import", "dir", source, "--backend", "hot");
  await api.setLimits({ backend: "cold", bandwidth: "4M", perNode: 2, reason: "a test" });
  const { id } = await api.apply({ override: ["objects"] });
  // Nobody is there to work yet, which is a reason of its own.
  expect((await api.why(id)).waiting).toMatchObject([{ wait: { reason: "role" }, actions: 16 }]);
  workspace.start("worker", "--node-name", "worker-1");
  workspace.start("worker", "--node-name", "worker-2");
  const scopes: readonly ControlTarget[] = [
    { scope: "run", name: id },
    { scope: "policy", name: "all-on-cold" },
    { scope: "backend", name: "cold" },
    { scope: "everything", name: "" },
  ];
  const tookMs: Record<string, number> = {};
  for (const target of scopes) {
    await working(api, id, 2);
    tookMs[target.scope] = await stilled(api, target);
    await until(async () => (await api.why(id)).active.length === 0);
    const { waiting } = await api.why(id);
    expect(new Set(waiting.map(({ wait }) => wait.reason))).toEqual(new Set(["paused"]));
    await api.control({ verb: "resume", ...target, reason: "" });
  }

  await working(api, id, 2);
  const node = { scope: "node", name: "worker-1" } as const;
  await api.control({ verb: "pause", ...node, reason: "its disk is slow" });
  const since = performance.now();
  const nodes = async () => new Set((await api.why(id)).active.map((step) => step.node));
  await until(async () => !(await nodes()).has("worker-1"));
  tookMs["node"] = Math.round(performance.now() - since);
  expect([...(await nodes())]).toEqual(["worker-2"]);
  await api.control({ verb: "resume", ...node, reason: "" });

  const all = { scope: "everything", name: "" } as const;
  await api.control({ verb: "pause", ...all, reason: "before the kill" });
  first.kill("SIGKILL");
  await workspace.startController();
  api = await workspace.api();
  expect(await api.pauses()).toMatchObject([{ scope: "everything", reason: "before the kill" }]);
  await until(async () => (await api.nodes()).filter(({ up }) => up).length === 3);
  await until(async () => (await api.why(id)).active.length === 0);
  const still = await bytesOnCold();
  await sleep(1_500);
  expect(await bytesOnCold()).toBe(still);

  await api.resetLimits("cold");
  await api.control({ verb: "resume", ...all, reason: "" });
  await until(async () => (await api.run(id)).endedAt !== undefined, 120_000);
  expect(await api.run(id)).toMatchObject({ state: "completed", progress: { done: 16 } });
  expect((await workspace.audit()).problems).toBe("");
  console.info(`a pause took effect after ${JSON.stringify(tookMs)} ms`);
  for (const took of Object.values(tookMs)) expect(took).toBeLessThan(effectMs);
}, 180_000);

/** Waits until both workers transfer bytes. */
async function working(api: EngineApi, id: Run["id"], nodes: number): Promise<void> {
  await until(async () => {
    const { active } = await api.why(id);
    return new Set(active.map(({ node }) => node)).size === nodes;
  });
  const before = await bytesOnCold();
  await until(async () => (await bytesOnCold()) !== before);
}

/** Pauses, and says how long after the order the last byte was written. */
async function stilled(api: EngineApi, target: ControlTarget): Promise<number> {
  await api.control({ verb: "pause", ...target, reason: `of ${target.scope}` });
  const orderedAt = performance.now();
  let grownAt = orderedAt;
  let bytes = await bytesOnCold();
  while (performance.now() - orderedAt < 2 * effectMs) {
    const now = await bytesOnCold();
    if (now > bytes) grownAt = performance.now();
    bytes = now;
    await sleep(20);
  }
  return Math.round(grownAt - orderedAt);
}

const bytesOnCold = () => storedBytes(workspace.storage("cold"));
