import { expect, test } from "vitest";
import { sharedQueueServer } from "../conformance/shared-queue-server.ts";
import { coolPolicy } from "./cool-policy.ts";
import { runEngine } from "./running-engine.ts";

const server = sharedQueueServer();

test("an order about a policy or node that there is not is answered with the nearest one", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy: coolPolicy });
  const { engine } = running;
  const order = { verb: "pause", scope: "policy", reason: "a test" } as const;
  expect((await engine.control({ ...order, name: "cool" })).notice).toBeUndefined();
  const mistyped = await engine.control({ ...order, name: "coool" });
  expect(mistyped.notice).toBe(
    'there is no policy "coool" now, and the pause is for one that is to come: did you mean "cool"?',
  );
  expect(mistyped.pauses.map(({ name }) => name)).toEqual(["cool", "coool"]);
  const tried = await engine.control({ ...order, name: "other", dryRun: true });
  expect(tried.notice).toMatch(/no policy "other" now.*: policies: cool$/);
  // It is paused: who takes that back means it.
  const resume = { ...order, verb: "resume" } as const;
  expect((await engine.control({ ...resume, name: "coool" })).notice).toBeUndefined();
  const again = await engine.control({ ...resume, name: "coool" });
  expect(again.notice).toBe('there is no policy "coool" now: did you mean "cool"?');
  const node = await engine.control({ ...order, scope: "node", name: "nobody" });
  expect(node.notice).toContain('there is no node "nobody" now');
  await expect(engine.control({ ...order, scope: "backend", name: "hott" })).rejects.toMatchObject({
    code: "NOT_FOUND",
    hint: expect.stringContaining("hot") as string,
  });
});
