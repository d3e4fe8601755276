import { expect, test } from "vitest";
import type { ObjectIndex } from "#index/object-index.ts";
import type { ListedCopy } from "#model/driver.ts";
import { cidOf, copyOn, objectOf, openIndex, start } from "./open-index.ts";
import { evidenceOf, ledgerLines, masks } from "./run-steps.ts";

const later = new Date(start.getTime() + 60_000);

test("findings raise confidence, and absent or corrupt copies stop counting", async () => {
  const { index } = await openIndex();
  await index.putObjects(
    [0, 1, 2].map((number) => objectOf(number, [copyOn("hot", "listed"), copyOn("warm")])),
    start,
  );
  await index.recordEvidence(
    [
      evidenceOf(0, "hot"),
      evidenceOf(1, "hot", "absent"),
      evidenceOf(1, "warm", "present", "listed"),
      evidenceOf(2, "hot", "present"),
      evidenceOf(2, "hot", "corrupt"),
      evidenceOf(2, "cold", "present"),
      evidenceOf(9, "hot", "present"),
    ],
    later,
  );
  expect(await masks(index)).toMatchObject([
    { present: 3, verified: 3 },
    { present: 2, verified: 2 },
    { present: 2, verified: 2 },
  ]);
  expect(await ledgerLines(index)).toEqual(["drift lost", "drift corrupt"]);
  expect((await index.backends()).map((backend) => backend.usedBytes)).toEqual([100, 300, 0]);
  await index.recordEvidence([evidenceOf(1, "hot", "present", "listed")], later);
  expect((await masks(index))[1]).toMatchObject({ present: 3, verified: 2 });
  await index.recordEvidence([evidenceOf(2, "hot", "present", "listed")], later);
  expect((await masks(index))[2]).toMatchObject({ present: 2, verified: 2 });
  await index.recordEvidence([evidenceOf(2, "hot")], later);
  expect((await masks(index))[2]).toMatchObject({ present: 3, verified: 3 });
  await expect(index.recordEvidence([evidenceOf(0, "nowhere")], later)).rejects.toMatchObject({
    code: "NOT_FOUND",
    hint: expect.stringContaining("cold, hot, warm"),
  });
  expect(await index.checkSummaries()).toEqual([]);
});

test("a check that is told late makes no copy good that was found damaged since", async () => {
  const { index } = await openIndex();
  await index.putObjects(
    [0, 1].map((number) => objectOf(number, [copyOn("hot"), copyOn("warm")])),
    start,
  );
  const at = (minutes: number) => new Date(later.getTime() + minutes * 60_000).toISOString();
  await index.recordEvidence(
    [
      { ...evidenceOf(0, "hot", "corrupt"), checkedAt: at(2) },
      { ...evidenceOf(1, "hot", "absent"), checkedAt: at(2) },
    ],
    later,
  );
  const early = [0, 1].map((number) => ({ ...evidenceOf(number, "hot"), checkedAt: at(1) }));
  await index.recordEvidence(early, later);
  expect(await masks(index)).toMatchObject([{ present: 2 }, { present: 2 }]);
  const again = [0, 1].map((number) => ({ ...evidenceOf(number, "hot"), checkedAt: at(3) }));
  await index.recordEvidence(again, later);
  expect(await masks(index)).toMatchObject([{ present: 3 }, { present: 3 }]);
  expect(await index.checkSummaries()).toEqual([]);
});

test("a listing confirms, finds lost, changed and unexpected copies, and corrects the index", async () => {
  const { index } = await openIndex();
  await index.putObjects(
    [
      objectOf(0, [copyOn("hot", "claimed")]),
      objectOf(1, [copyOn("hot"), copyOn("warm")]),
      objectOf(2, [copyOn("hot")]),
      objectOf(3, [copyOn("warm")]),
    ],
    start,
  );
  const listing = [
    listed(0),
    listed(2, { bytes: 99 }),
    listed(3),
    listed(8, { size: 8 }),
    listed(9),
  ];
  expect(await index.reconcile("hot", stream(listing), later)).toEqual({
    backend: "hot",
    listed: 5,
    confirmed: 1,
    lost: 1,
    unexpected: 3,
    changed: 1,
  });
  await using session = await index.session();
  const copies = await session.rows({
    text: `SELECT object_id AS id, state, confidence FROM copy
           WHERE backend = 'hot' ORDER BY object_id`,
    parameters: [],
  });
  expect(copies).toEqual([
    { id: 0, state: "present", confidence: "listed" },
    { id: 1, state: "lost", confidence: "listed" },
    { id: 2, state: "corrupt", confidence: "listed" },
    { id: 3, state: "present", confidence: "listed" },
    { id: 4, state: "present", confidence: "listed" },
  ]);
  expect(await index.objectDetail(await index.findObject(cidOf(8)), later)).toMatchObject({
    size: 8,
    profile: "raw-sha256",
    backends: ["hot"],
  });
  const again = await index.reconcile("hot", stream(listing), new Date(later.getTime() + 1));
  expect(again).toMatchObject({ confirmed: 3, lost: 0, unexpected: 1, changed: 1 });
  expect(await index.checkSummaries()).toEqual([]);
});

test("copies that change while the listing is taken are left as they are", async () => {
  const { index } = await openIndex();
  await index.putObjects([objectOf(0, [copyOn("hot")])], start);
  const report = await index.reconcile("hot", slow(index), new Date(start.getTime() + 1));
  expect(report).toMatchObject({ listed: 1, confirmed: 1, lost: 0 });
  expect(await masks(index)).toMatchObject([{ verified: 1 }, { verified: 1 }]);
});

test("a listing that breaks off changes nothing", async () => {
  const { index } = await openIndex();
  await index.putObjects([objectOf(0, [copyOn("hot")])], start);
  const version = await index.version();
  await expect(index.reconcile("hot", broken(), later)).rejects.toThrow("connection lost");
  expect(await index.version()).toBe(version);
});

test("holds are kept with their first reason and end when released", async () => {
  const { index } = await openIndex();
  await index.putObjects([objectOf(0), objectOf(1)], start);
  await index.hold([0, 1, 0], "audit", start);
  await index.hold([1], "again", start);
  await index.release([0], start);
  const held = await index.listObjects({ text: "o.held", parameters: [] }, 10, start);
  expect(held.map((object) => object.objectId)).toEqual([1]);
  expect(await ledgerLines(index)).toEqual([
    "hold done audit",
    "hold done audit",
    "hold done released",
  ]);
  await expect(index.hold([7], "x", start)).rejects.toMatchObject({ code: "NOT_FOUND" });
  expect(await index.checkSummaries()).toEqual([]);
});

test("objects are found by CID, path and number, and their detail tells their history", async () => {
  const { index } = await openIndex();
  await index.putObjects(
    [
      objectOf(0, [copyOn("hot"), copyOn("warm", "listed")], {
        tags: ["b", "a"],
        names: ["/x", "/y"],
      }),
    ],
    start,
  );
  await index.hold([0], "audit", later);
  for (const reference of ["0", cidOf(0), "/x", "/y"]) {
    expect(await index.findObject(reference)).toBe(0);
  }
  for (const reference of ["1", cidOf(1), "/none", "", "drop table"]) {
    await expect(index.findObject(reference)).rejects.toMatchObject({ code: "NOT_FOUND" });
  }
  expect(await index.objectDetail(0, later)).toMatchObject({
    objectId: 0,
    cid: cidOf(0),
    path: "/x",
    names: ["/x", "/y"],
    tags: ["a", "b"],
    backends: ["hot", "warm"],
    verified: 1,
    held: true,
    accessed: undefined,
    copies: [
      { backend: "hot", confidence: "verified", bytes: 100 },
      { backend: "warm", confidence: "listed" },
    ],
    history: [{ at: later.toISOString(), kind: "hold", reason: "done: audit" }],
  });
  expect(await index.totals(2)).toMatchObject({
    objects: 1,
    copies: 2,
    bytes: 200,
    belowMinimum: 1,
    backends: [
      { name: "hot", copies: 1, bytes: 100 },
      { name: "warm", copies: 1, bytes: 100 },
      { name: "cold", copies: 0, bytes: 0 },
    ],
  });
});

function listed(number: number, more: { bytes?: number; size?: number } = {}): ListedCopy {
  return {
    cid: cidOf(number),
    copy: { locator: "at hot", form: "file", bytes: more.bytes ?? 100 },
    size: more.size,
    cursor: String(number),
  };
}

async function* stream(copies: readonly ListedCopy[]): AsyncGenerator<ListedCopy> {
  yield* copies;
}

/** A listing during which a copy is made. */
async function* slow(owner: ObjectIndex): AsyncGenerator<ListedCopy> {
  yield listed(0);
  await owner.putObjects([objectOf(1, [copyOn("hot", "verified", later)])], later);
}

async function* broken(): AsyncGenerator<ListedCopy> {
  yield listed(5, { size: 5 });
  throw new Error("connection lost");
}
