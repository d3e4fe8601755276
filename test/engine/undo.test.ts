import { expect, test } from "vitest";
import type { Engine } from "#engine.ts";
import { sharedQueueServer } from "../conformance/shared-queue-server.ts";
import { until } from "../conformance/test-engine.ts";
import { coolPolicy } from "./cool-policy.ts";
import { runEngine } from "./running-engine.ts";

const server = sharedQueueServer();

async function ended(engine: Engine, id: string) {
  await until(async () => (await engine.run(id)).endedAt !== undefined);
  return engine.run(id);
}

test("undo makes the copies again that a run gave up, and keeps those that it made", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy: coolPolicy });
  const { engine } = running;
  await running.importFiles(3);
  const run = await running.applyToEnd();
  const shown = await engine.undoRun({ run: run.id, dryRun: true });
  expect(shown).toMatchObject({
    removed: { copies: 3 },
    made: { copies: 3 },
    back: 0,
    blocked: [],
    gone: [],
    marked: 0,
    started: undefined,
    plan: { header: { totals: { actions: 3, bytesFreed: 0 } } },
  });
  expect(shown.sample.map(({ verb, victim, rule }) => [verb, victim, rule])).toEqual(
    Array.from({ length: 3 }, () => ["replicate", null, "undo/hot"]),
  );
  expect(shown.sample[0]?.reason).toBe("the run that is undone removed this copy");
  const other = engine.undoRun({ run: run.id, expectCid: "bafyother" });
  await expect(other).rejects.toMatchObject({ code: "STALE_PLAN" });
  const { started } = await engine.undoRun({ run: run.id, expectCid: shown.plan.cid });
  expect(await ended(engine, started?.id ?? "")).toMatchObject({
    state: "completed",
    origin: `undo ${run.id}`,
    progress: { done: 3 },
  });
  const backends = (await Array.fromAsync(engine.objects({}))).flat().map((one) => one.backends);
  expect(backends).toEqual([1, 2, 3].map(() => ["hot", "cold"]));
  const again = await engine.undoRun({ run: run.id });
  expect(again).toMatchObject({ back: 3, started: undefined });
});

test("what cannot be undone is counted with the reason, and a run under way is refused", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy: coolPolicy });
  const { engine } = running;
  await running.importFiles(2);
  await engine.control({ verb: "pause", scope: "everything", name: "", reason: "look first" });
  const run = await engine.apply({ override: ["objects"] });
  await expect(engine.undoRun({ run: run.id })).rejects.toMatchObject({ code: "CONFLICT" });
  await engine.control({ verb: "resume", scope: "everything", name: "", reason: "looked" });
  await ended(engine, run.id);
  await engine.setCordon("hot", true);
  const report = await engine.undoRun({ run: run.id });
  expect(report).toMatchObject({
    blocked: [{ rule: "undo/hot", reason: "cordon", objects: 2 }],
    started: undefined,
  });
});
