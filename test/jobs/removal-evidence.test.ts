import { chmod, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { SegmentAction } from "#jobs/segment.ts";
import type { Form } from "#model/copy.ts";
import type { Driver } from "#model/driver.ts";
import type { CommitResult, RemoveOutcome, StepData } from "#model/run.ts";
import { LocalStores } from "./local-stores.ts";
import { type Fate, RemoveJob, workOn } from "./race-worker.ts";

const now = new Date("2026-01-01T00:00:00Z");
const issuedAt = now.toISOString();
const expiresAt = new Date(now.getTime() + 3_600_000).toISOString();

/** A job that removes one object from `hot`, and rests on the copy on `cold`. */
async function removalOf(stores: LocalStores, text: string, form: Form = "file") {
  const bytes = Buffer.from(text);
  const { object } = await stores.put("hot", bytes);
  const { copy } = await stores.put("cold", bytes, form);
  const drivers = new Map<string, Driver>();
  for (const name of ["hot", "cold"]) drivers.set(name, await stores.driver(name));
  const part = { batch: 0, attempt: 0, from: 0, to: 1, segmentCid: "" };
  const names = { runId: "run", planCid: "plan", policy: "p", verb: "evict" } as const;
  const step: StepData = { ...part, ...names, source: null, target: null, victim: "hot" };
  const actions: SegmentAction[] = [{ sequence: 0, objectId: 0, object }];
  const stored = { form, bytes: copy.bytes };
  const proven = { confidence: "verified", verifiedAt: issuedAt, stored } as const;
  const reserved = [{ backend: "cold", ...proven }];
  const permit = {
    id: "run-0",
    objectId: 0,
    backend: "hot",
    reserved,
    authority: "surplus",
  } as const;
  const permits = [{ ...object, ...permit, issuedAt, expiresAt, sequence: 0 }];
  const permitted: CommitResult = { permits, refusals: [] };
  return { object, copy, drivers, job: new RemoveJob(step, actions, permitted) };
}

/** A worker that dies when it asks to remove: before or after that has happened, or not at all. */
function dying(when: "before" | "after" | undefined): Fate {
  const death = (call: keyof Driver) => (call === "remove" ? when : undefined);
  return { turn: () => Promise.resolve(), death, now: () => now };
}

test.for([
  { title: "a worker that died", deaths: ["after"] },
  { title: "the second of two that died", deaths: ["before", "after"] },
  { title: "the first of two that died", deaths: ["after", "before"] },
] as const)(
  "the proof of a removal by $title is what it saw, whatever was lost afterwards",
  async ({ deaths }) => {
    await using stores = await LocalStores.open();
    const { object, drivers, job } = await removalOf(stores, "gone");
    for (const when of deaths) expect(await workOn(job, drivers, dying(when))).toBe("died");
    expect(await drivers.get("hot")?.stat(object)).toBeUndefined();
    // What the removal rested on is lost right after.
    await drivers.get("cold")?.remove(object, { ...job.permitted.permits[0]!, backend: "cold" });
    const outcomes = await workOn(job, drivers, dying(undefined));
    expect(outcomes).toMatchObject([{ outcome: "done", result: "absent" }]);
    expect(seenBy(outcomes)).toEqual([...deaths.map(() => "cold present"), "hot absent"]);
    expect(outcomes).toMatchObject([{ findings: [{ backend: "cold", finding: "absent" }] }]);
  },
);

test("whoever finds the copy gone proves it by what was seen before, too", async () => {
  await using stores = await LocalStores.open();
  const { drivers, job } = await removalOf(stores, "gone before");
  expect(await workOn(job, drivers, dying("after"))).toBe("died");
  const outcomes = await workOn(job, drivers, dying(undefined));
  expect(outcomes).toMatchObject([{ outcome: "done", result: "absent" }]);
  expect(seenBy(outcomes)).toEqual(["cold present", "cold present"]);
});

test("a CAR that was verified a moment ago is only looked at", async () => {
  await using stores = await LocalStores.open();
  const { drivers, job } = await removalOf(stores, "whole", "car");
  const outcomes = await workOn(job, drivers, dying(undefined));
  expect(outcomes).toMatchObject([
    { outcome: "done", proof: { evidence: [{ confidence: "listed", bytesRead: 0 }] } },
  ]);
});

test.for([
  { title: "cut off", harm: (path: string, bytes: number) => truncate(path, bytes - 1) },
  { title: "something else", harm: (path: string) => writeFile(path, "another file") },
])("a CAR that is $title by now keeps what would rest on it", async ({ harm }) => {
  await using stores = await LocalStores.open();
  const { object, copy, drivers, job } = await removalOf(stores, "cut off", "car");
  const path = join(stores.folder, "cold", copy.locator);
  await chmod(path, 0o600);
  await harm(path, copy.bytes);
  const outcomes = await workOn(job, drivers, dying(undefined));
  expect(outcomes).toMatchObject([
    { outcome: "failed", code: "CORRUPT", findings: [{ backend: "cold", finding: "corrupt" }] },
  ]);
  expect(await drivers.get("hot")?.stat(object)).toBeDefined();
});

test("a copy in another form than the one that was verified is re-hashed", async () => {
  await using stores = await LocalStores.open();
  const { object, copy, drivers, job } = await removalOf(stores, "another form", "car");
  await drivers.get("cold")?.remove(object, { ...job.permitted.permits[0]!, backend: "cold" });
  await stores.put("cold", Buffer.from("another form"));
  const outcomes = await workOn(job, drivers, dying(undefined));
  expect(copy.form).toBe("car");
  expect(outcomes).toMatchObject([
    {
      outcome: "done",
      proof: { evidence: [{ confidence: "verified", bytesRead: "another form".length }] },
    },
  ]);
});

test.for([1, 2])(
  "a machine held still until its permit ran out removes nothing, whatever its clocks say (question %d)",
  async (late) => {
    await using stores = await LocalStores.open();
    const { object, drivers, job } = await removalOf(stores, "held still");
    let asked = 0;
    const queueMs = (): number => {
      asked += 1;
      return asked < late ? now.getTime() : Date.parse(expiresAt);
    };
    const outcomes = await workOn(job, drivers, { ...dying(undefined), queueMs });
    expect(asked).toBe(late);
    expect(outcomes).toMatchObject([{ outcome: "expired" }]);
    expect(await drivers.get("hot")?.stat(object)).toBeDefined();
  },
);

/** What the proofs are made of, in their order. */
function seenBy(outcomes: readonly RemoveOutcome[] | "died"): readonly string[] {
  if (outcomes === "died") return [];
  return outcomes
    .flatMap((end) => (end.outcome === "done" ? end.proof.evidence : []))
    .map(({ backend, finding }) => `${backend} ${finding}`);
}
