import { chmod, glob, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sharedQueueServer } from "../conformance/shared-queue-server.ts";
import { until } from "../conformance/test-engine.ts";
import { type RunningEngine, runEngine } from "./running-engine.ts";

const server = sharedQueueServer();

const policy = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: keep-two}
rules:
  - name: two
    where: true
    ensure: {copies: 2, on: tier = hot or tier = cold}
`;

/** A run of four copies that ended without doing any of them. */
async function cancelledRun(running: RunningEngine): Promise<string> {
  const { engine } = running;
  await running.importFiles(4);
  await engine.control({ verb: "pause", scope: "backend", name: "cold", reason: "slow" });
  const run = await engine.apply({ override: ["objects"] });
  await engine.control({ verb: "cancel", scope: "run", name: run.id, reason: "wrong time" });
  await until(async () => (await engine.run(run.id)).endedAt !== undefined);
  expect((await engine.run(run.id)).progress.cancelled).toBe(4);
  await engine.control({ verb: "resume", scope: "backend", name: "cold", reason: "" });
  return run.id;
}

test("what was cancelled is tried again as a new run, and asking twice does nothing twice", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy });
  const { engine } = running;
  const run = await cancelledRun(running);
  const preview = await engine.retry({ run, dryRun: true });
  expect([preview.failed.actions, preview.failed.underWay, preview.run]).toEqual([4, 0, undefined]);
  expect(preview.plan.header.totals.actions).toBe(4);
  expect(await engine.runs()).toHaveLength(1);

  await engine.control({ verb: "pause", scope: "backend", name: "cold", reason: "slow" });
  const again = await engine.retry({ run, override: ["objects"] });
  expect(again.run).toMatchObject({ origin: `retry ${run}`, progress: { actions: 4 } });
  const twice = await engine.retry({ run, override: ["objects"] });
  expect([twice.failed.underWay, twice.run]).toEqual([4, undefined]);

  await engine.control({ verb: "resume", scope: "backend", name: "cold", reason: "" });
  const id = again.run?.id ?? "";
  await until(async () => (await engine.run(id)).endedAt !== undefined);
  expect(await engine.run(id)).toMatchObject({ state: "completed", progress: { done: 4 } });
  const late = await engine.retry({ run, override: ["objects"] });
  expect(late.plan.header.totals.actions).toBe(0);
  expect(late.run).toBeUndefined();
  expect(late.leftOut).toEqual([{ reason: "not-planned", actions: 4 }]);
  expect(await engine.runs()).toHaveLength(2);
});

test("a retry takes only what is named, and only what the policies still want", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy });
  const { engine, folder } = running;
  const run = await cancelledRun(running);
  const actions = async (request: Parameters<typeof engine.retry>[0]) => {
    const { failed, plan } = await engine.retry({ ...request, dryRun: true });
    return [failed.actions, plan.header.totals.actions];
  };
  expect(await actions({ where: 'path like "**/1.txt"' })).toEqual([1, 1]);
  expect(await actions({ policy: "keep-two", backend: "cold" })).toEqual([4, 4]);
  expect(await actions({ policy: "other" })).toEqual([0, 0]);
  expect(await actions({ backend: "warm" })).toEqual([0, 0]);
  expect(await actions({ run, cause: "CORRUPT" })).toEqual([0, 0]);
  await expect(engine.retry({})).rejects.toMatchObject({ code: "USAGE" });
  await expect(engine.retry({ run: "run-99" })).rejects.toMatchObject({ code: "NOT_FOUND" });

  const narrower = policy.replace("where: true", `where: path like "**/1.txt"`);
  await writeFile(join(folder, "policies", "test.thermocline.yaml"), narrower);
  expect(await actions({ run })).toEqual([4, 1]);
  await writeFile(
    join(folder, "policies", "test.thermocline.yaml"),
    policy.replace(": two", ": three"),
  );
  const { leftOut } = await engine.retry({ run, dryRun: true });
  expect(leftOut).toEqual([{ reason: "no-rule", actions: 4 }]);
});

test("a retry says that objects are left out because they are quarantined", async () => {
  const strict = policy.replace("rules:", "onError: {quarantineAfter: 1}\nrules:");
  await using running = await runEngine({ queueUrl: server.url, policy: strict });
  const { engine, folder } = running;
  await running.importFiles(3);
  for await (const file of glob(join(folder, "hot", "objects", "*", "*"))) {
    await chmod(file, 0o600);
    await writeFile(file, "rotten bits");
  }
  const { id } = await running.applyToEnd();
  expect((await engine.run(id)).progress.failed).toBe(3);
  const { failed, plan, leftOut } = await engine.retry({ run: id, dryRun: true });
  expect([failed.actions, plan.header.totals.actions]).toEqual([3, 0]);
  expect(leftOut).toEqual([{ reason: "quarantined", actions: 3 }]);
});

test("a retry refuses another plan than the one that was shown", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy });
  const { engine } = running;
  const run = await cancelledRun(running);
  const { plan } = await engine.retry({ run, dryRun: true });
  const agreed = { expectCid: plan.cid, at: plan.evaluatedAt, override: ["objects"] };
  await engine.setHold("1", true, "kept");
  await expect(engine.retry({ run, where: "not held", ...agreed })).rejects.toMatchObject({
    code: "STALE_PLAN",
  });
});
