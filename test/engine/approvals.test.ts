import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Engine } from "#engine.ts";
import { actAs } from "#model/acting.ts";
import type { DecisionRequest } from "#model/approval.ts";
import { sharedQueueServer } from "../conformance/shared-queue-server.ts";
import { until } from "../conformance/test-engine.ts";
import { runEngine } from "./running-engine.ts";

const server = sharedQueueServer();

const policy = (approval: string): string => `apiVersion: thermocline/v1
kind: Policy
metadata: {name: cool}
schedule: {at: "2099-01-01T00:00"}
approval: ${approval}
rules:
  - {name: down, where: true, demote: {from: tier = hot, to: tier = cold}}
`;

function start(approval: string, maxObjects = "10%") {
  return runEngine({
    queueUrl: server.url,
    maxObjects,
    policy: policy(approval),
    prepare: (folder) =>
      appendFile(join(folder, "thermocline.yaml"), "roles: {approver: [bob, carol@ops]}\n"),
  });
}

const as = (actor: string) => ({ actor, reason: undefined });
const override = ["objects"];

/** Alice applies. */
function applied(engine: Engine, planFile?: string) {
  const saved = planFile === undefined ? {} : { planFile };
  return actAs(as("alice@desk"), () => engine.apply({ override, ...saved }));
}

function decide(engine: Engine, who: string, request: Partial<DecisionRequest>) {
  const whole = { plan: "", verdict: "approve", reason: "agreed", ...request } as const;
  return actAs(as(who), () => engine.decideApproval(whole));
}

async function ended(engine: Engine, id: string) {
  await until(async () => (await engine.run(id)).endedAt !== undefined);
  return engine.run(id);
}

const removals = "{when: removals > 0, from: role approver, preventSelfApproval: true}";

test("a plan that matches waits until somebody with the role agrees, and the ledger says who and why", async () => {
  await using running = await start(removals);
  const { engine } = running;
  await running.importFiles(3);
  const run = await applied(engine);
  expect(run).toMatchObject({ state: "awaiting-approval", progress: { actions: 3, remaining: 3 } });
  expect(await engine.planActions(run.planCid, 0, 2)).toHaveLength(2);
  expect((await engine.why(run.id)).facts.join("\n")).toContain("policy cool (removals > 0)");
  await expect(engine.controlRun(run.id, "run")).rejects.toMatchObject({ code: "CONFLICT" });
  await expect(decide(engine, "mallory", { plan: run.id })).rejects.toMatchObject({
    code: "FORBIDDEN",
  });
  expect(await applied(engine)).toMatchObject({ id: run.id });
  expect((await engine.run(run.id)).progress.done).toBe(0);
  await decide(engine, "bob@laptop", { plan: run.planCid, reason: "seen with Alice" });
  expect(await ended(engine, run.id)).toMatchObject({ state: "completed", progress: { done: 3 } });
  const [approval] = await engine.approvals();
  expect(approval).toMatchObject({ state: "approved", author: "alice@desk", runId: run.id });
  const noted = (
    await Array.fromAsync(engine.audit({ where: 'kind = "approval"', run: run.id }))
  ).flat();
  expect(noted.map(({ reason, actor, detail }) => [reason, actor, detail])).toEqual([
    ["requested", "alice@desk", expect.objectContaining({ change: approval?.changeDigest })],
    ["approved", "bob@laptop", expect.objectContaining({ reason: "seen with Alice" })],
  ]);
});

test("whoever applied a plan does not approve it, where the policy says so", async () => {
  await using running = await start("{when: 'true', preventSelfApproval: true}");
  await running.importFiles(1);
  const run = await applied(running.engine);
  await expect(decide(running.engine, "alice@desk", { plan: run.id })).rejects.toMatchObject({
    code: "FORBIDDEN",
    message: expect.stringContaining("alice@desk applied it, and does not approve it") as unknown,
  });
  expect((await decide(running.engine, "dave", { plan: run.id })).state).toBe("running");
  await ended(running.engine, run.id);
});

test("a plan that was rejected never begins, and the same change has to be asked for anew", async () => {
  await using running = await start(removals);
  const { engine } = running;
  await running.importFiles(2);
  const run = await applied(engine);
  const digest = (await engine.approvals())[0]?.changeDigest ?? "";
  const other = decide(engine, "bob", { plan: run.id, expectDigest: "bafyother" });
  await expect(other).rejects.toMatchObject({ code: "STALE_PLAN" });
  const rejected = await decide(engine, "dave", { plan: digest, verdict: "reject", reason: "no" });
  expect(rejected).toMatchObject({ state: "cancelled", progress: { cancelled: 2, remaining: 0 } });
  await expect(decide(engine, "bob", { plan: run.id })).rejects.toMatchObject({ code: "CONFLICT" });
  expect((await engine.why(run.id)).facts).toContain("its plan was rejected: no");
  const again = await applied(engine);
  expect([again.id === run.id, again.state]).toEqual([false, "awaiting-approval"]);
});

test("nobody runs what was not seen: after a change only the rest of it can be approved", async () => {
  await using running = await start(removals);
  const { engine } = running;
  await running.importFiles(3);
  const run = await applied(engine);
  const [held] = (await Array.fromAsync(engine.objects({ limit: 1 }))).flat();
  await engine.setHold(held?.cid ?? "", true, "evidence");
  await expect(decide(engine, "carol@ops", { plan: run.id })).rejects.toMatchObject({
    code: "STALE_PLAN",
    details: { left: 2, all: 3 },
  });
  expect((await engine.run(run.id)).state).toBe("awaiting-approval");
  await decide(engine, "carol@ops", { plan: run.id, allowSubset: true });
  expect(await ended(engine, run.id)).toMatchObject({ state: "completed", progress: { done: 2 } });
  expect((await engine.object(held?.cid ?? "")).backends).toEqual(["hot"]);
});

test("a request that nobody decides on runs out, and a cancelled one is gone", async () => {
  await using running = await start("{when: removals > 0, ttl: 1s}");
  const { engine } = running;
  await running.importFiles(2);
  const run = await applied(engine);
  await until(async () => (await engine.approvals())[0]?.state === "expired");
  expect(await engine.run(run.id)).toMatchObject({ state: "cancelled" });
  const second = await applied(engine);
  await engine.controlRun(second.id, "cancel");
  await until(async () => (await engine.approvals())[0]?.state === "cancelled");
  await expect(decide(engine, "bob", { plan: second.id })).rejects.toMatchObject({
    code: "CONFLICT",
  });
});

test("scheduled runs wait too, and a later plan takes the place of what waits", async () => {
  await using running = await start("{when: objects > 1}", "100%");
  const { engine } = running;
  await running.importFiles(3);
  const first = await engine.runSchedule("cool");
  expect(first).toMatchObject({ outcome: "started" });
  expect(first.message).toContain(`thermocline approve ${first.runId}`);
  expect(await engine.runSchedule("cool")).toMatchObject({ runId: first.runId });
  const [held] = (await Array.fromAsync(engine.objects({ limit: 1 }))).flat();
  await engine.setHold(held?.cid ?? "", true, "evidence");
  const second = await engine.runSchedule("cool");
  expect((await engine.approvals()).map(({ runId, state }) => [runId, state])).toEqual([
    [second.runId, "awaiting"],
    [first.runId, "superseded"],
  ]);
  await decide(engine, "dave", { plan: second.runId ?? "" });
  expect((await ended(engine, second.runId ?? "")).progress.done).toBe(2);
});

test("a plan that does not match begins at once", async () => {
  await using running = await start("{when: objects > 2}");
  const { engine } = running;
  await running.importFiles(3);
  const part = await engine.apply({ override, limits: { objects: 2 } });
  expect((await ended(engine, part.id)).progress.done).toBe(2);
  expect(await engine.approvals()).toEqual([]);
});

test("of a saved plan that no longer fits, what still does is carried out when that is asked for", async () => {
  await using running = await start("{when: objects > 9}");
  const { engine, folder } = running;
  await running.importFiles(3);
  const out = join(folder, "saved");
  const { plan } = await engine.plan({ out });
  const [held] = (await Array.fromAsync(engine.objects({ limit: 1 }))).flat();
  await engine.setHold(held?.cid ?? "", true, "evidence");
  await expect(applied(engine, out)).rejects.toMatchObject({ code: "STALE_PLAN" });
  const run = await engine.apply({ override, planFile: out, allowSubset: true });
  expect(run.progress.actions).toBe(plan.header.totals.actions - 1);
  expect((await ended(engine, run.id)).progress.done).toBe(2);
  const nothing = engine.apply({ override, planFile: out, allowSubset: true });
  await expect(nothing).rejects.toMatchObject({ code: "STALE_PLAN" });
});

test("only some objects can be planned and applied: by an expression, a path or a CID", async () => {
  await using running = await start("{when: objects > 9}");
  const { engine } = running;
  await running.importFiles(3);
  const objects = (await Array.fromAsync(engine.objects({}))).flat();
  const [first, second] = objects;
  const planned = async (only: string) => (await engine.plan({ only })).plan.header.totals.objects;
  expect(await planned(first?.cid ?? "")).toBe(1);
  expect(await planned(first?.path ?? "")).toBe(1);
  expect(await planned("size >= 0B")).toBe(3);
  expect(await planned('path like "/nowhere/**"')).toBe(0);
  const only = second?.cid ?? "";
  const { plan } = await engine.plan({ only });
  const run = await engine.apply({
    override,
    only,
    expectCid: plan.cid,
    at: plan.evaluatedAt,
  });
  expect((await ended(engine, run.id)).progress).toMatchObject({ actions: 1, done: 1 });
  expect((await engine.object(only)).backends).toEqual(["cold"]);
});
