import { dirname } from "node:path";
import { expect, test } from "vitest";
import { BatchRetention } from "#engine/batches/batch-retention.ts";
import { batchesInUse } from "#engine/batches/batches-in-use.ts";
import { collectBatches } from "#engine/batches/collect-batches.ts";
import { takeSnapshot } from "#engine/snapshots/take-snapshot.ts";
import { makePlan } from "../../index/make-plan.ts";
import { filledIndex, start } from "../snapshots/filled-index.ts";
import { message, openRegistry } from "./message.ts";

const day = 86_400_000;

test("rows of plans whose runs go on and of snapshots that are kept stay, as long as they are so", async () => {
  const { index, store, path } = await filledIndex(5);
  const plan = await makePlan(index, dirname(path), [{ verb: "replicate", object: 0, target: 1 }]);
  const { id } = await index.beginRun(plan, start);
  const { cid: snapshot } = await takeSnapshot(index, store, { now: start });
  const registry = await openRegistry({ now: () => start });
  const [ofPlan, ofSnapshot, other] = [
    registry.publishBytes(message(1), { plan: plan.cid }),
    registry.publishBytes(message(2), { snapshot }),
    registry.publishBytes(message(3), { plan: "bafyelse", snapshot: "bafyelse" }),
  ];
  const now = new Date(start.getTime() + 40 * day);
  const collect = async () => {
    const inUse = await batchesInUse({ index, snapshots: { store } });
    return await collectBatches(registry, { now, olderThanMs: day, settleMs: -1_000, inUse });
  };
  expect(await collect()).toMatchObject({ kept: 2, inUse: 2, removed: [other.cid] });

  await store.drop(snapshot);
  expect(await collect()).toMatchObject({ kept: 1, inUse: 1, removed: [ofSnapshot.cid] });
  await index.setRunState(id, "cancelled", now);
  await index.finishRuns(now);
  expect(await collect()).toMatchObject({ kept: 0, inUse: 0, removed: [ofPlan.cid] });
});

test("by the clock goes what the configuration says, and nothing unless it says so", async () => {
  const asked: unknown[] = [];
  const report = { kept: 0, inUse: 0, removed: [], bytesRemoved: 0, leftovers: 0 };
  const batches = {
    collectBatches: (request: unknown) => {
      asked.push(request);
      return Promise.resolve(report);
    },
  };
  const retention = (olderThanMs: number | undefined) =>
    new BatchRetention({ batches, olderThanMs, keep: 7, onError: () => undefined });
  expect(await retention(undefined).look()).toBeUndefined();
  expect(await retention(30 * day).look()).toBe(report);
  expect(asked).toEqual([{ olderThanMs: 30 * day, keep: 7 }]);
});
