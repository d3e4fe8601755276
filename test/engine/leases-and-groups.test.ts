import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Engine } from "#engine.ts";
import { sharedQueueServer } from "../conformance/shared-queue-server.ts";
import { runEngine } from "./running-engine.ts";

const server = sharedQueueServer();

function policyOf(rule: string): string {
  return `apiVersion: thermocline/v1
kind: Policy
metadata: {name: test}
rules:
  - ${rule}
`;
}

async function places(engine: Engine): Promise<readonly (readonly string[])[]> {
  return (await Array.fromAsync(engine.objects({}))).flat().map(({ backends }) => backends);
}

/** Copies on the cold tier for so long. */
function cached(time: string): string {
  return policyOf(
    `{name: cached, where: true, ensure: {copies: 1, on: tier = cold, for: ${time}}}`,
  );
}

test("copies for a time are made, kept, and given up with proof when the time is over", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy: cached("1h") });
  const { engine, folder } = running;
  await running.importFiles(2);
  expect(await running.applyToEnd()).toMatchObject({ progress: { done: 2 } });
  expect(await places(engine)).toEqual([1, 2].map(() => ["hot", "cold"]));
  expect((await engine.plan({})).plan.header.totals.actions).toBe(0);
  const at = new Date(Date.now() + 2 * 3_600_000).toISOString();
  const later = await engine.plan({ at });
  expect(later.sample.map(({ verb, reason }) => [verb, reason])).toEqual(
    [1, 2].map(() => ["evict", "was wanted for 1h, and enough copies remain elsewhere"]),
  );
  // The rule of today says how long: with a shorter time they are surplus at once.
  await writeFile(join(folder, "policies", "test.thermocline.yaml"), cached("1ms"));
  expect(await running.applyToEnd()).toMatchObject({ state: "completed", progress: { done: 2 } });
  expect(await places(engine)).toEqual([1, 2].map(() => ["hot"]));
  expect((await engine.plan({})).plan.header.totals.actions).toBe(0);
  const { findings } = await engine.checkAudit();
  expect(findings).toEqual([]);
});

test("a collection of which one object is held stays, and moves whole when it is released", async () => {
  const policy = policyOf(
    "{name: cool, where: true, group: collection, demote: {from: tier = hot, to: tier = cold}}",
  );
  await using running = await runEngine({ queueUrl: server.url, policy });
  const { engine, folder } = running;
  const path = join(folder, "films");
  await mkdir(path);
  for (const name of ["a", "b", "c"]) await writeFile(join(path, name), name);
  await Array.fromAsync(engine.importDirectory({ path, backend: "hot", collection: "films" }));
  await engine.setHold("/films/b", true, "looked at");
  const held = await engine.plan({});
  expect(held.plan.header.totals.actions).toBe(0);
  expect(held.plan.header.blocked.map(({ reason, objects }) => [reason, objects])).toEqual([
    ["group", 2],
    ["held", 1],
  ]);
  await engine.setHold("/films/b", false, "seen");
  expect(await running.applyToEnd()).toMatchObject({ state: "completed", progress: { done: 3 } });
  expect(await places(engine)).toEqual([1, 2, 3].map(() => ["cold"]));
});
