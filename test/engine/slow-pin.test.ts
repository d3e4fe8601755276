import { expect, test } from "vitest";
import type { Driver } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { sharedQueueServer } from "../conformance/shared-queue-server.ts";
import { until } from "../conformance/test-engine.ts";
import { driverWith } from "../jobs/driver-with.ts";
import { coolPolicy } from "./cool-policy.ts";
import { runEngine } from "./running-engine.ts";

const server = sharedQueueServer();

test("what nodes are still fetching holds no worker and no other objects, and is looked at again", async () => {
  const slow = new Set<string>();
  let asked = 0;
  const driver = (opened: Driver, backend: string): Driver =>
    backend === "hot"
      ? opened
      : driverWith(opened, {
          write: (object, body, options) => {
            if (!slow.has(object.cid)) return opened.write(object, body, options);
            asked += 1;
            const words = `${object.cid} is pinned at 0 of 2 peers`;
            const error = new EngineError("TIMEOUT", words, {
              retryable: false,
              retryAfterMs: 0,
              details: { wait: "pin" },
            });
            return Promise.reject(error);
          },
        });
  await using running = await runEngine({ queueUrl: server.url, policy: coolPolicy, driver });
  const { engine } = running;
  await running.importFiles(3);
  const objects = (await Array.fromAsync(engine.objects({}))).flat();
  for (const { cid } of objects.slice(0, 1)) slow.add(cid);

  const { id } = await engine.apply({ override: ["objects"] });
  await until(async () => (await engine.why(id)).waiting.some(({ wait }) => wait.reason === "pin"));
  const { waiting } = await engine.why(id);
  const wait = waiting.find((entry) => entry.wait.reason === "pin")?.wait;
  expect(wait?.message).toMatch(/is pinned at 0 of 2 peers/);
  expect(asked).toBeGreaterThan(0);
  slow.clear();
  await until(async () => (await engine.run(id)).endedAt !== undefined);
  expect(await engine.run(id)).toMatchObject({ state: "completed", progress: { done: 3 } });
  expect(running.errors).toEqual([]);
});
