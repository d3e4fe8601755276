import { copyFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Engine } from "#engine.ts";
import { dataPaths } from "#config/data-paths.ts";
import { laneQueue } from "#jobs/lanes.ts";
import { openQueueStore } from "#jobs/open-queue-store.ts";
import { stepJobId } from "#jobs/step-job.ts";
import type { WhyReport } from "#model/why.ts";
import { sampleNode } from "../api/sample-values.ts";
import { queuePrefix } from "../conformance/queue-servers.ts";
import { sharedQueueServer } from "../conformance/shared-queue-server.ts";
import { until } from "../conformance/test-engine.ts";
import { coolPolicy } from "./cool-policy.ts";
import { runEngine } from "./running-engine.ts";

const server = sharedQueueServer();

/** Reason, words and remedy of everything that waits. */
function waits({ waiting }: WhyReport): readonly unknown[] {
  return waiting.map(({ wait: { reason, remedy }, actions }) => [reason, actions, remedy]);
}

test("why names the pause that holds a run, of whatever scope, who gave it and what ends it", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy: coolPolicy });
  const { engine } = running;
  await running.importFiles(3);
  const all = { scope: "everything", name: "" } as const;
  await engine.control({ verb: "pause", ...all, reason: "fire drill", until: "2h" });
  const { id } = await engine.apply({ override: ["objects"] });
  const first = await engine.why(id);
  expect(first).toMatchObject({
    about: "run",
    subject: `run ${id} is running: 3 of 3 actions remain`,
  });
  expect(waits(first)).toEqual([["paused", 3, "thermocline resume --all"]]);
  expect(first.waiting[0]?.wait.message).toContain("fire drill");
  expect(first.waiting[0]?.wait.until).toBeDefined();
  expect(first.waiting[0]?.since).toBeDefined();
  for (const [scope, name, remedy] of [
    ["policy", "cool", "thermocline resume --policy cool"],
    ["backend", "hot", "thermocline resume --backend hot"],
    ["node", "test-node", "thermocline resume --node test-node"],
    ["run", id, `thermocline resume ${id}`],
  ] as const) {
    await engine.control({ verb: "pause", scope, name, reason: scope });
    await engine.control({ verb: "resume", ...all, reason: "" });
    // A worker may have taken the batch in between: it lets go of it at its next checkpoint.
    await until(async () => (await engine.why(id)).waiting.length > 0);
    expect(waits(await engine.why(id))).toEqual([["paused", 3, remedy]]);
    await engine.control({ verb: "pause", ...all, reason: "fire drill" });
    await engine.control({ verb: "resume", scope, name, reason: "" });
  }
  const object = await engine.why("1");
  expect(object.actions).toMatchObject([
    { runId: id, verb: "demote", source: "hot", target: "cold" },
  ]);
  expect(object.actions[0]?.message).toMatch(/paused: .*to end it: thermocline resume --all/);
  expect(object.subject).toContain("hot present");
  await engine.control({ verb: "resume", ...all, reason: "" });
  await until(async () => (await engine.run(id)).endedAt !== undefined);
  const ended = await engine.why(id);
  expect([ended.waiting, ended.active]).toEqual([[], []]);
  expect(ended.facts).toContainEqual(expect.stringContaining("it ended at"));
  // What was done is forgotten with its run: the ledger has it.
  const { actions, facts } = await engine.why("1");
  expect(actions).toEqual([]);
  expect(facts).toContainEqual(expect.stringContaining(`last entry of the ledger:`));
});

test("why names a cordon, and a backend that is out", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy: coolPolicy });
  const { engine, folder } = running;
  await running.importFiles(2);
  const all = { scope: "everything", name: "" } as const;
  await engine.control({ verb: "pause", ...all, reason: "not yet" });
  const { id } = await engine.apply({ override: ["objects"] });
  await engine.setCordon("cold", true);
  await engine.control({ verb: "resume", ...all, reason: "" });
  expect(waits(await engine.why(id))).toEqual([["cordon", 2, "thermocline uncordon cold"]]);
  await rename(join(folder, "cold"), join(folder, "gone"));
  await engine.setCordon("cold", false);
  const out = await engine.why(id);
  expect(out.waiting).toMatchObject([{ wait: { reason: "outage" }, actions: 2 }]);
  expect(out.waiting[0]?.wait.message).toContain("cold");
});

const archive = (rule: string) => `apiVersion: thermocline/v1
kind: Policy
metadata: {name: archive}
rules:
  - {name: only, where: size > 0, ${rule}}
`;

test("a removal that rests on a third backend that is out says so, in why and in the status", async () => {
  const ensure = archive('ensure: {copies: 1, on: backend = "warm"}');
  await using running = await runEngine({ queueUrl: server.url, policy: ensure });
  const { engine, folder } = running;
  await running.importFiles(3);
  expect(await running.applyToEnd()).toMatchObject({ progress: { done: 3 } });
  await rename(join(folder, "warm"), join(folder, "gone"));
  await isOut(engine, "warm");
  const evict = archive("evict: {from: tier = hot}");
  await writeFile(join(folder, "policies", "test.thermocline.yaml"), evict);
  const { id } = await engine.apply({ override: ["objects"] });
  await until(async () => (await engine.status()).held.length > 0);
  const { held } = await engine.status();
  expect(held).toMatchObject([
    { work: { runId: id, victim: "hot", lane: "hot" }, wait: { reason: "outage" }, batches: 1 },
  ]);
  expect(held[0]?.wait.message).toContain("a copy they rest on is on warm");
  const { waiting } = await engine.why(id);
  expect(waiting).toMatchObject([{ wait: { reason: "outage" }, batches: 1, actions: 3 }]);
  expect(waiting[0]?.wait.message).toContain("a copy they rest on is on warm");
  expect(waiting[0]?.since).toBe(held[0]?.since);
  await rename(join(folder, "gone"), join(folder, "warm"));
  await until(async () => (await engine.run(id)).endedAt !== undefined, 120_000);
  expect(await engine.run(id)).toMatchObject({ state: "completed", progress: { done: 3 } });
  expect((await engine.status()).held).toEqual([]);
});

/** Reports of workers make the watch ask, until it says that the backend is out. */
async function isOut(engine: Engine, backend: string): Promise<void> {
  const message = "connection refused";
  await until(async () => {
    await engine.reportOutage({ node: "test-node", backend, code: "UNAVAILABLE", message });
    const report = (await engine.backends()).find(({ name }) => name === backend);
    return report?.health.state === "out";
  });
}

test("why of a job says its batch, step and state in the queue, and what holds it; resumed, its run ends", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy: coolPolicy });
  const { engine } = running;
  await running.importFiles(2);
  const node = { scope: "node", name: "test-node", reason: "its disk is slow" } as const;
  await engine.control({ verb: "pause", ...node });
  const run = await engine.apply({ override: ["objects"] });
  const data = { runId: run.id, planCid: run.planCid, batch: 0, attempt: 0 };
  const id = stepJobId({ ...firstBatch, ...data }, "copy");
  await until(async () => (await engine.why(id).catch(() => undefined)) !== undefined);
  const report = await engine.why(id);
  expect(report.about).toBe("job");
  expect(report.subject).toContain(`job ${id}: step copy of batch 0 of ${run.id}`);
  expect(report.subject).toContain("on the lane cold");
  expect(waits(report)).toEqual([["paused", 2, "thermocline resume --node test-node"]]);
  expect(report.facts).toContainEqual("actions 0 to 1, 0 of them over");
  await engine.control({ verb: "resume", ...node, reason: "" });
  await until(async () => (await engine.run(run.id)).endedAt !== undefined, 120_000);
  expect(await engine.run(run.id)).toMatchObject({ state: "completed", progress: { done: 2 } });
});

test("a step whose node ended is not in flight, though this controller never heard of the node", async () => {
  const prefix = queuePrefix();
  const namespace = prefix.replaceAll("-", "_");
  const own = { queueUrl: server.url, queuePrefix: prefix, roles: ["controller"] } as const;
  await using running = await runEngine({ ...own, policy: coolPolicy });
  const { engine } = running;
  await running.importFiles(2);
  // A worker that stands still for good: nobody renews its lock, nobody ends its job.
  const store = await openQueueStore({ url: server.url, namespace });
  const over = Promise.withResolvers<void>();
  const ended = { skipLockRenewal: true, skipStalledCheck: true, lockDuration: 500 };
  store.worker(laneQueue("cold"), () => over.promise, { ...ended, name: "w-77" });
  // Work is handed out for another one, which lives and is about to look.
  const living = {
    ...sampleNode,
    name: "w-8",
    roles: ["worker"],
    backends: ["hot", "cold"],
  } as const;
  const ask = async (reference: string) => {
    await engine.heartbeat(living);
    return engine.why(reference);
  };
  await engine.heartbeat(living);
  const run = await engine.apply({ override: ["objects"] });
  await until(async () => JSON.stringify((await ask(run.id)).waiting).includes("w-77"));
  const words =
    "node w-77, which took up step copy, is gone: it has not reported since this controller was " +
    "started: ";
  const message: unknown = expect.stringContaining(words);
  const gone = { wait: { reason: "role", message }, batches: 1, actions: 2 };
  expect(await ask(run.id)).toMatchObject({ waiting: [gone], active: [] });
  const data = { runId: run.id, planCid: run.planCid, batch: 0, attempt: 0 };
  const job = await ask(stepJobId({ ...firstBatch, ...data }, "copy"));
  expect(job.subject).toContain("step copy of batch 0");
  expect(job.subject).toContain("lost by its worker on the lane cold");
  expect(job).toMatchObject({ waiting: [gone] });
  const [action] = (await ask("1")).actions;
  expect(action?.state).toBe("queued");
  expect(action?.message).toContain(words);
  const all = { scope: "everything", name: "", reason: "a look", dryRun: true } as const;
  const { inFlight } = await engine.control({ verb: "pause", ...all });
  expect(inFlight).toMatchObject([{ node: "w-77", lost: true }]);
  over.resolve();
  await store.close();
});

test("why names the permits of an earlier controller for which removals wait, and until when", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy: coolPolicy });
  await running.importFiles(2);
  await running.applyToEnd();
  await running.engine.close();
  // A copy of the data directory, as a backup gives it back: what was permitted since it was
  // made, nobody here knows.
  const { identity } = dataPaths(join(running.folder, ".thermocline"));
  await copyFile(identity, `${identity}.copy`);
  await rename(`${identity}.copy`, identity);
  const engine = await running.reopen();
  const path = join(running.folder, "source");
  for (const name of ["a", "b"]) await writeFile(join(path, name), `later ${name}`);
  await Array.fromAsync(engine.importDirectory({ path, backend: "hot" }));
  const { id } = await engine.apply({ override: ["objects"] });
  const waiting = async () => (await engine.why(id)).waiting;
  await until(async () => (await waiting())[0]?.wait.reason === "dependency", 120_000);
  const [first] = await waiting();
  expect(first?.actions).toBe(2);
  expect(first?.wait.message).toMatch(/before 2\d+-.*Z.*that an earlier controller issued/);
  await engine.close();
});

const firstBatch = {
  policy: "cool",
  verb: "demote",
  source: "hot",
  target: "cold",
  victim: "hot",
  from: 0,
  to: 2,
  segmentCid: "",
} as const;

test("without a controller everything waits for one, whatever else holds it", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy: coolPolicy });
  await running.importFiles(2);
  const all = { scope: "everything", name: "", reason: "later" } as const;
  await running.engine.control({ verb: "pause", ...all });
  const { id } = await running.engine.apply({ override: ["objects"] });
  await running.engine.close();
  const again = await running.reopen();
  expect(waits(await again.why(id))).toEqual([["role", 2, "thermocline up"]]);
  await again.close();
});

test("why of what nobody knows is an error that says so", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy: coolPolicy });
  await expect(running.engine.why("run-77")).rejects.toMatchObject({ code: "NOT_FOUND" });
  await expect(running.engine.why("a".repeat(40))).rejects.toMatchObject({ code: "UNAVAILABLE" });
});
