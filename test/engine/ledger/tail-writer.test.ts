import { writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { tailName } from "#engine/ledger/ledger-tail.ts";
import { pushTails } from "#engine/ledger/push-tails.ts";
import { TailSchedule } from "#engine/ledger/tail-schedule.ts";
import { TailWriter } from "#engine/ledger/tail-writer.ts";
import { collectGarbage } from "#engine/snapshots/collect-garbage.ts";
import { collectRemote } from "#engine/snapshots/collect-remote.ts";
import { installationOf } from "#engine/snapshots/installation-of.ts";
import { pushSnapshot } from "#engine/snapshots/push-snapshot.ts";
import { takeSnapshot } from "#engine/snapshots/take-snapshot.ts";
import { EngineError } from "#model/engine-error.ts";
import { farStore } from "../snapshots/far-store.ts";
import { filledIndex, start } from "../snapshots/filled-index.ts";

const newest = { snapshot: "newest" };

async function writing(entriesMax?: number) {
  const filled = await filledIndex(20);
  const { index, store } = filled;
  const installation = await installationOf(index);
  let minutes = 0;
  const now = () => new Date(start.getTime() + minutes * 60_000);
  const make = () =>
    new TailWriter({ index, store, now, ...(entriesMax !== undefined && { entriesMax }) });
  return {
    ...filled,
    installation,
    now,
    make,
    snapshot: async () => {
      minutes += 1;
      return await takeSnapshot(index, store, { now: now() });
    },
    hold: async (...objects: readonly number[]) => {
      minutes += 1;
      await index.hold(objects, "kept", now());
    },
    ranges: async () =>
      (await store.tails.list(installation))
        .map(({ first, last }) => [first, last])
        .toSorted(([a = 0], [b = 0]) => a - b),
  };
}

test("each entry behind a snapshot is written once, also by the next process", async () => {
  const { make, snapshot, hold, ranges } = await writing();
  const writer = make();
  expect(await writer.write()).toBe(0);
  await snapshot();
  expect(await writer.write()).toBe(0);
  await hold(5, 6, 7);
  expect(await writer.write()).toBe(3);
  expect(await writer.write()).toBe(0);
  await hold(8);
  await snapshot();
  expect(await make().write()).toBe(1);
  expect(await ranges()).toEqual([
    [2, 4],
    [5, 5],
  ]);
});

test("many entries go into several files", async () => {
  const { make, snapshot, hold, ranges } = await writing(2);
  await snapshot();
  await hold(5, 6, 7, 8, 9);
  expect(await make().write()).toBe(5);
  expect(await ranges()).toEqual([
    [2, 3],
    [4, 5],
    [6, 6],
  ]);
});

test("backends get what they lack, and give up what their snapshots have", async () => {
  const { make, snapshot, hold, store, installation, now, ranges } = await writing();
  const { remote } = await farStore();
  const writer = make();
  let isAway = true;
  const desk = {
    store,
    tailed: new Map<string, Date>(),
    ownInstallation: () => Promise.resolve(installation),
    remote: () =>
      isAway ? Promise.reject(new EngineError("UNAVAILABLE", "away")) : Promise.resolve(remote),
  };
  const schedule = new TailSchedule({
    desk,
    writer,
    everyMs: 60_000,
    now,
    push: ["far"],
    onError: () => undefined,
  });
  await schedule.look();
  expect(desk.tailed).toEqual(new Map());
  await snapshot();
  await hold(5);
  expect(await schedule.look()).toMatchObject([
    { code: "UNAVAILABLE", message: "pushing the ledger's tail to far failed: away" },
  ]);
  const [early, before] = [now(), new Map(desk.tailed)];
  expect(before).toEqual(new Map([["here", early]]));
  await hold(6);
  isAway = false;
  expect(await schedule.look()).toEqual([]);
  expect([...desk.tailed]).toEqual([
    ["here", now()],
    ["far", now()],
  ]);
  // Without a snapshot there, nothing could go on from it.
  expect(await remote.tails.list(installation)).toEqual([]);
  expect(await pushSnapshot(store, remote, newest)).toMatchObject({ tailsMoved: 2 });
  await hold(7);
  await schedule.look();
  expect(await remote.tails.list(installation)).toHaveLength(3);

  await snapshot();
  await hold(8);
  await schedule.look();
  await pushSnapshot(store, remote, newest);
  await collectGarbage(store, { keep: 1 });
  await collectRemote(remote, { keep: 1, installation });
  expect(await ranges()).toEqual([[5, 5]]);
  expect(await remote.tails.list(installation)).toEqual(await store.tails.list(installation));
  await hold(9);
  await schedule.look();
  expect(await remote.tails.list(installation)).toHaveLength(2);
});

test("after an older snapshot was restored, its tails are sent behind those of the other history", async () => {
  const { index, make, snapshot, hold, store, installation } = await writing();
  const { remote } = await farStore();
  await snapshot();
  await pushSnapshot(store, remote, newest);
  await hold(5, 6, 7);
  await snapshot();
  await pushSnapshot(store, remote, newest);
  const writer = make();
  await writer.write();
  await hold(8);
  await writer.write();
  expect(await pushTails(store, remote, installation)).toBeGreaterThan(0);

  // Of an index that was made of the first snapshot, which ended with entry 1.
  const before = (await index.ledger.checks([1])).get(1) ?? "";
  const about = { first: 2, last: 3, before, after: "f".repeat(16) };
  const tail = await store.tails.add(
    installation,
    { ...about, writtenAt: start.toISOString() },
    (path) => writeFile(path, "entries of another history"),
  );
  const names = async () => (await remote.tails.list(installation)).map(tailName);
  expect(await pushTails(store, remote, installation)).toBe(1);
  expect(await names()).toContain(tailName(tail));
  // Nor does it matter that the newest snapshot there is not known here.
  await remote.tails.drop(installation, tail);
  const [last] = (await store.list()).snapshots;
  await store.drop(last?.cid ?? "");
  expect(await pushTails(store, remote, installation)).toBe(1);

  await collectRemote(remote, { keep: 1, installation });
  expect(await names()).not.toContain(tailName(tail));
  expect(await pushTails(store, remote, installation)).toBe(0);
});
