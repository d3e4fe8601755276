import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ObjectIndex } from "#index/object-index.ts";
import type { Backend } from "#model/backend.ts";
import type { CommitResult, StepData } from "#model/run.ts";
import type { SamePair } from "#model/same-storage.ts";
import { makePlan, stepOf, type TestAction } from "./make-plan.ts";
import { copyOn, objectOf, openIndex, start } from "./open-index.ts";
import { context, evidenceOf, gone, hour, masks, onlyBatch } from "./run-steps.ts";

const later = new Date(start.getTime() + 60_000);
const nodeAndCluster: readonly SamePair[] = [["cluster", "node"]];

const nothing: readonly SamePair[] = [];

/** One object on all four: the copy of the cluster was verified last. */
async function stored() {
  const { index, folder } = await openIndex(["node", "cluster", "bucket", "disk"]);
  const copies = [copyOn("node"), copyOn("cluster", "verified", later), copyOn("bucket")];
  await index.putObjects([objectOf(0, copies)], start);
  // Of another object a worker was asked to remove a copy, and found what these backends are.
  await index.putObjects([objectOf(1, [copyOn("bucket"), copyOn("disk")])], start);
  const learn = async (pairs: readonly SamePair[]) => {
    const plan = await makePlan(index, folder, [{ verb: "evict", object: 1, victim: 2 }]);
    const run = await index.beginRun(plan, start);
    const step = stepOf(await onlyBatch(index, run.id, "bucket"));
    const found = pairs.map((sameStorage, sequence) => {
      return { sequence, outcome: "skipped", reason: "kept", sameStorage } as const;
    });
    await index.commitRemovals(step, found, later);
  };
  let learned: readonly SamePair[] = nothing;
  let last: StepData | undefined;
  const permits = async (
    action: Omit<TestAction, "object" | "verb">,
    sameStorage: readonly SamePair[],
  ): Promise<CommitResult> => {
    if (sameStorage !== learned) await learn(sameStorage);
    learned = sameStorage;
    const actions = [{ verb: "evict", object: 0, ...action }] as const;
    const run = await index.beginRun(await makePlan(index, folder, actions), start);
    const lane = ["node", "cluster", "bucket", "disk"][action.victim ?? 0] ?? "";
    const step = stepOf(await onlyBatch(index, run.id, lane));
    last = step;
    return index.commitCopies(step, [], context({ now: later }));
  };
  const lastStep = (): StepData => {
    if (last === undefined) throw new Error("no permits were asked for");
    return last;
  };
  return { index, permits, learn, folder, lastStep };
}

function reservedOf({ permits }: CommitResult): readonly string[] {
  return permits.flatMap(({ reserved }) => reserved.map(({ backend }) => backend));
}

test("a permit rests on the copy verified last, but on none that is the same storage", async () => {
  const { permits } = await stored();
  expect(reservedOf(await permits({ victim: 0 }, nothing))).toEqual(["cluster"]);
  const { permits: again } = await stored();
  expect(reservedOf(await again({ victim: 0 }, nodeAndCluster))).toEqual(["bucket"]);
});

test("what the same storage holds is no second copy for a rule, and the refusal says so", async () => {
  const { permits } = await stored();
  const two = [{ rule: "p/two", backends: "3", copies: 2, confidence: "verified" }] as const;
  const answer = await permits({ victim: 2, requirements: two }, nodeAndCluster);
  expect(answer).toMatchObject({
    permits: [],
    refusals: [
      {
        reason: "ensure",
        message:
          "p/two needs 2 verified copies, 1 would remain for certain; " +
          "node and cluster are the same storage",
      },
    ],
  });
});

test("a copy goes with that of the same storage, so no other permit rests on it", async () => {
  const { permits } = await stored();
  expect(reservedOf(await permits({ victim: 0 }, nodeAndCluster))).toEqual(["bucket"]);
  const bucket = await permits({ victim: 2 }, nodeAndCluster);
  expect(bucket.refusals).toMatchObject([{ reason: "reserved" }]);
  const { permits: others } = await stored();
  expect(reservedOf(await others({ victim: 2 }, nodeAndCluster))).toHaveLength(1);
  // Either may be what the bucket's removal rests on: both stay.
  for (const victim of [0, 1]) {
    const answer = await others({ victim }, nodeAndCluster);
    expect(answer.refusals).toMatchObject([{ reason: "reserved" }]);
  }
});

test("as many storages as there are count where one backend spans several", async () => {
  const { index, permits } = await stored();
  await index.putObjects([objectOf(0, [copyOn("disk")])], start);
  const three = [{ rule: "p/two", backends: "15", copies: 2, confidence: "verified" }] as const;
  const spans: readonly SamePair[] = [...nodeAndCluster, ["cluster", "disk"]];
  const answer = await permits({ victim: 2, requirements: three }, spans);
  expect(reservedOf(answer)).toEqual(["node", "disk"]);
});

function known(backends: readonly Backend[]) {
  return backends.flatMap(({ name, sameAs }) => (sameAs === undefined ? [] : [[name, sameAs]]));
}

test("what was found is kept for a day, also when the index is opened again", async () => {
  const { index, learn, folder } = await stored();
  await learn([...nodeAndCluster, ["node", "cluster"], ["cluster", "disk"]]);
  const all = [
    ["node", [1]],
    ["cluster", [0, 3]],
    ["disk", [1]],
  ];
  expect(known(await index.backends(later))).toEqual(all);
  await index.close();
  const again = await ObjectIndex.open(join(folder, "index.duckdb"));
  onTestFinished(() => again.close());
  const after = (ms: number) => new Date(later.getTime() + ms);
  expect(known(await again.backends(after(24 * hour - 1)))).toEqual(all);
  expect(known(await again.backends(after(-1)))).toEqual([]);
  expect(known(await again.backends(after(24 * hour)))).toEqual([]);
});

test("what a removal may have taken from other names of the storage is to be checked again", async () => {
  const { index, permits, lastStep } = await stored();
  for (const isSettled of [false, true]) {
    await index.putObjects(
      [objectOf(0, [copyOn("node"), copyOn("cluster"), copyOn("bucket")])],
      later,
    );
    await index.recordEvidence([evidenceOf(0, "cluster")], later);
    expect((await masks(index))[0]).toMatchObject({ present: 7, verified: 7 });
    const { permits: given } = await permits({ victim: 0 }, nodeAndCluster);
    const id = given[0]?.id ?? "";
    if (isSettled) await index.settlePermit(id, evidenceOf(0, "node", "absent"), later);
    else await index.commitRemovals(lastStep(), [gone(0, id)], later);
    expect((await masks(index))[0]).toMatchObject({ present: 6, verified: 4 });
    expect(await index.checkSummaries()).toEqual([]);
  }
  // A full check makes it as sure as before.
  await index.recordEvidence([evidenceOf(0, "cluster")], later);
  expect((await masks(index))[0]).toMatchObject({ present: 6, verified: 6 });
});
