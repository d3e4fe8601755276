import { expect, test } from "vitest";
import { sharedQueueServer } from "../../conformance/shared-queue-server.ts";
import { until } from "../../conformance/test-engine.ts";
import { runEngine } from "../running-engine.ts";

const server = sharedQueueServer();

const policies = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: free-space}
triggers: [{usage: {backend: hot, above: 85%, until: 55%}}]
rules:
  - {name: cool, where: true, demote: {from: tier = hot, to: tier = cold}}
---
apiVersion: thermocline/v1
kind: Policy
metadata: {name: second-copy}
triggers: [{event: object-added}]
rules:
  - {name: two, where: true, ensure: {copies: 1, on: tier = warm}}
`;

test("a backend that fills up is emptied down to its low mark, and new objects get their copies", async () => {
  await using running = await runEngine({
    queueUrl: server.url,
    policy: policies,
    capacity: "100B",
    maxObjects: "100%",
  });
  const { engine, errors } = running;
  expect((await engine.validate()).diagnostics).toEqual([]);
  await engine.start();
  // Ten files of nine bytes: 90% of the hot backend.
  await running.importFiles(10);
  const usedBytes = async () =>
    (await engine.backends()).find(({ name }) => name === "hot")?.usedBytes ?? 0;
  await until(async () => (await usedBytes()) <= 55);
  await until(async () => {
    const runs = await engine.runs();
    return runs.length >= 2 && runs.every(({ endedAt }) => endedAt !== undefined);
  });
  const origins = (await engine.runs()).map(({ origin, state }) => `${state} ${origin}`);
  expect(origins.toSorted()).toEqual([
    "completed trigger free-space: usage hot above 85%",
    "completed trigger second-copy: object-added",
  ]);
  // Four objects go, the first that free 35 bytes: not one more.
  expect(await usedBytes()).toBe(54);
  const [free, second] = await engine.schedules();
  expect(free?.triggers).toMatchObject([
    {
      name: "usage hot above 85%",
      active: false,
      last: { run: "completed", message: expect.stringContaining("hot is 90.0% full") },
    },
  ]);
  expect(second?.triggers).toMatchObject([
    { active: false, last: { run: "completed", message: "10 objects were added" } },
  ]);
  expect(errors).toEqual([]);
});
