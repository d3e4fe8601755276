import { expect, test } from "vitest";
import { sharedQueueServer } from "../conformance/shared-queue-server.ts";
import { until } from "../conformance/test-engine.ts";
import { coolPolicy } from "./cool-policy.ts";
import { runEngine } from "./running-engine.ts";

const server = sharedQueueServer();

test("cancel by expression counts what matches first, and then ends exactly that", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy: coolPolicy });
  const { engine } = running;
  await running.importFiles(5);
  const everything = { scope: "everything", name: "", reason: "look first" } as const;
  await engine.control({ verb: "pause", ...everything });
  const { id } = await engine.apply({ override: ["objects"] });
  const order = {
    verb: "cancel",
    scope: "run",
    name: id,
    reason: "kept",
    where: 'path like "**/1.txt" or path like "**/2.txt"',
  } as const;
  const preview = await engine.control({ ...order, dryRun: true });
  const bytes = "content 1".length + "content 2".length;
  expect(preview.work).toEqual({ runs: 1, actions: 2, bytes, queued: 0 });
  expect((await engine.run(id)).progress.cancelled).toBe(0);
  expect((await engine.control(order)).cancelled).toBe(2);
  expect((await engine.control({ ...order, dryRun: true })).work.actions).toBe(0);
  await engine.control({ verb: "resume", ...everything });
  await until(async () => (await engine.run(id)).endedAt !== undefined);
  expect((await engine.run(id)).progress).toMatchObject({ done: 3, cancelled: 2, failed: 0 });
  const retry = await engine.retry({ run: id, dryRun: true });
  expect([retry.failed.actions, retry.plan.header.totals.actions]).toEqual([2, 2]);
});

test("verify counts copies and bytes without looking at one", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy: coolPolicy });
  const { engine } = running;
  await running.importFiles(3);
  const steps = await Array.fromAsync(
    engine.verify({ where: 'path like "**/1.txt"', dryRun: true }),
  );
  expect(steps).toMatchObject([
    { type: "summary", total: 1, bytes: "content 1".length, copies: 0, verified: 0 },
  ]);
});
