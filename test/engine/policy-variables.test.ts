import { expect, test } from "vitest";
import { sharedQueueServer } from "../conformance/shared-queue-server.ts";
import { until } from "../conformance/test-engine.ts";
import { runEngine } from "./running-engine.ts";

const server = sharedQueueServer();

const policy = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: chosen}
vars:
  part: {type: text, default: nothing.txt}
rules:
  - name: two
    where: path like "**" and name = $part
    ensure: {copies: 2, on: tier = hot or tier = cold}
`;
const variables = { part: "1.txt" };

test("a plan with values for variables is applied and tried again with these values", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy });
  const { engine } = running;
  await running.importFiles(3);
  await engine.control({ verb: "pause", scope: "backend", name: "cold", reason: "slow" });
  expect((await engine.plan({})).plan.header.totals.actions).toBe(0);
  const { plan } = await engine.plan({ variables });
  expect(plan.header).toMatchObject({ variables, totals: { actions: 1 } });
  const agreed = { expectCid: plan.cid, at: plan.evaluatedAt };
  await expect(engine.apply(agreed)).rejects.toMatchObject({ code: "STALE_PLAN" });

  const override = ["objects"];
  const run = await engine.apply({ ...agreed, variables, override });
  await engine.control({ verb: "cancel", scope: "run", name: run.id, reason: "wrong time" });
  await until(async () => (await engine.run(run.id)).endedAt !== undefined);
  await engine.control({ verb: "resume", scope: "backend", name: "cold", reason: "" });

  const retried = await engine.retry({ run: run.id, override });
  const again = retried.run?.id ?? "";
  await until(async () => (await engine.run(again)).endedAt !== undefined);
  expect(await engine.run(again)).toMatchObject({ state: "completed", progress: { done: 1 } });
  expect((await engine.plan({ variables })).plan.header.totals.actions).toBe(0);
});

test("a saved plan brings its values", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy });
  const { engine, folder } = running;
  await running.importFiles(2);
  const { plan } = await engine.plan({ variables, out: `${folder}/kept` });
  const run = await engine.apply({ planFile: `${folder}/kept.plan.json`, override: ["objects"] });
  await until(async () => (await engine.run(run.id)).endedAt !== undefined);
  expect(await engine.run(run.id)).toMatchObject({ state: "completed", planCid: plan.cid });
});

test("a value that does not fit, or that no policy asks for, is an error with its name", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy });
  const { engine } = running;
  const { diagnostics } = await engine.validate([], { prat: "1.txt" });
  expect(diagnostics).toMatchObject([
    { code: "E0163", file: "--var", hint: expect.stringContaining('"part"') },
  ]);
  const plan = engine.plan({ variables: { prat: "1.txt" } });
  await expect(plan).rejects.toMatchObject({ code: "INVALID_DOCUMENT" });
});
