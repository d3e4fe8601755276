import { expect, test } from "vitest";
import { newestFirst, type Ordered } from "#engine/snapshots/newest-first.ts";

const now = new Date("2026-11-23T12:00:00Z");

test("what follows another one is newer, also where the clock was ahead", () => {
  const before = taken("before", "2026-11-20T00:00:00Z", 1);
  const ahead = taken("ahead", "2027-11-20T00:00:00Z", 2, "before");
  const after = taken("after", "2026-11-21T00:00:00Z", 3, "ahead");
  const last = taken("last", "2026-11-20T12:00:00Z", 4, "after");
  expect(order([before, ahead, after, last])).toEqual(["last", "after", "ahead", "before"]);
  expect(order([before, ahead])).toEqual(["ahead", "before"]);
});

test("an older one that was restored goes on with fewer commits", () => {
  const lost = taken("lost", "2026-11-20T00:00:00Z", 200);
  const restored = taken("restored", "2026-11-21T00:00:00Z", 105, "lost");
  expect(order([lost, restored])).toEqual(["restored", "lost"]);
});

test("of two lines the one that was written to last comes first, but for what is to come", () => {
  const root = taken("root", "2026-11-20T00:00:00Z", 1);
  const one = taken("one", "2026-11-22T00:00:00Z", 9, "root");
  const other = taken("other", "2026-11-23T00:00:00Z", 5, "root");
  expect(order([root, one, other])).toEqual(["other", "one", "root"]);
  const ahead = taken("ahead", "2027-11-23T00:00:00Z", 7, "gone");
  expect(order([ahead, root, one, other])).toEqual(["other", "one", "root", "ahead"]);
});

test("clocks that differ a little do not make a future", () => {
  const one = taken("one", "2026-11-23T12:01:00Z", 2);
  const other = taken("other", "2026-11-23T12:00:00Z", 1);
  expect(order([other, one])).toEqual(["one", "other"]);
});

test("no snapshot comes before one that follows it, whatever their times", () => {
  const days = [25, 3, 17, 30, 8, 22, 1, 29, 14, 11, 27, 6];
  const line = days.map((day, at) => {
    const time = `2026-11-${String(day).padStart(2, "0")}T00:00:00Z`;
    return taken(`s${at}`, time, at, at === 0 ? undefined : `s${at - 1}`);
  });
  const names = line.map(({ cid }) => cid).toReversed();
  expect(order(line)).toEqual(names);
  expect(order(line.toReversed())).toEqual(names);
});

function order(snapshots: readonly Ordered[]): readonly string[] {
  return newestFirst(snapshots, now, (one) => one).map(({ cid }) => cid);
}

function taken(cid: string, takenAt: string, commits: number, parent?: string): Ordered {
  return { cid, takenAt, commits, parent };
}
