import { expect, test } from "vitest";
import { makePlan, stepOf } from "./make-plan.ts";
import { copyOn, objectOf, openIndex, start } from "./open-index.ts";
import { context, copied, masks, onlyBatch } from "./run-steps.ts";

async function stage(copies: readonly string[]) {
  const { index, folder } = await openIndex();
  await index.putObjects(
    [
      objectOf(
        0,
        copies.map((backend) => copyOn(backend)),
      ),
    ],
    start,
  );
  return { index, folder };
}

test("a removal that would rest on a copy on a backend that is out waits, and is judged when it is back", async () => {
  const { index, folder } = await stage(["hot", "cold"]);
  const plan = await makePlan(index, folder, [{ verb: "evict", object: 0, victim: 0 }]);
  const { id } = await index.beginRun(plan, start);
  const step = stepOf(await onlyBatch(index, id, "hot"));
  const unreachable = new Set(["cold"]);
  const waiting = await index.commitCopies(step, [], context({ unreachable }));
  expect(waiting).toEqual({ permits: [], refusals: [], awaits: ["cold"] });
  expect(await index.run(id)).toMatchObject({ progress: { remaining: 1 } });
  const judged = await index.commitCopies(step, [], context());
  expect(judged).toMatchObject({ permits: [{ reserved: [{ backend: "cold" }] }], refusals: [] });
});

test("a removal that can rest on another copy does not wait, and reserves none that is out", async () => {
  const { index, folder } = await stage(["hot", "warm", "cold"]);
  const plan = await makePlan(index, folder, [{ verb: "evict", object: 0, victim: 0 }]);
  const { id } = await index.beginRun(plan, start);
  const step = stepOf(await onlyBatch(index, id, "hot"));
  const unreachable = new Set(["warm"]);
  const result = await index.commitCopies(step, [], context({ unreachable }));
  expect(result).toMatchObject({ permits: [{ reserved: [{ backend: "cold" }] }] });
});

test("a removal that is refused anyway does not wait for a backend", async () => {
  const { index, folder } = await stage(["hot"]);
  const plan = await makePlan(index, folder, [{ verb: "evict", object: 0, victim: 0 }]);
  const { id } = await index.beginRun(plan, start);
  const step = stepOf(await onlyBatch(index, id, "hot"));
  const unreachable = new Set(["cold", "hot"]);
  const result = await index.commitCopies(step, [], context({ unreachable }));
  expect(result).toMatchObject({ permits: [], refusals: [{ reason: "below-minimum" }] });
});

test("the copies of a demote are recorded while its removal waits", async () => {
  const { index, folder } = await stage(["hot"]);
  const plan = await makePlan(index, folder, [
    { verb: "demote", object: 0, source: 0, target: 2, victim: 0 },
  ]);
  const { id } = await index.beginRun(plan, start);
  const step = stepOf(await onlyBatch(index, id, "cold"));
  const unreachable = new Set(["hot"]);
  const waiting = await index.commitCopies(step, [copied(0, 0, "cold")], context({ unreachable }));
  expect(waiting).toMatchObject({ permits: [], awaits: ["hot"] });
  expect(await masks(index)).toMatchObject([{ present: 5, verified: 5 }]);
  const judged = await index.commitCopies(step, [copied(0, 0, "cold")], context());
  expect(judged.permits).toHaveLength(1);
});
