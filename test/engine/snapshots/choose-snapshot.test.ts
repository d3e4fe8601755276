import { expect, test } from "vitest";
import { chooseSnapshot } from "#engine/snapshots/choose-snapshot.ts";

const here = "this folder";

test("a time means the last snapshot as old as that, also where clocks were ahead or behind", () => {
  const snapshots = [
    { cid: "behind", takenAt: "2020-01-01T00:00:00Z" },
    { cid: "last", takenAt: "2026-11-20T00:00:00Z" },
    { cid: "ahead", takenAt: "2027-11-19T00:00:00Z" },
    { cid: "first", takenAt: "2026-11-18T00:00:00Z" },
  ];
  const at = (time: string) => chooseSnapshot(snapshots, time, here).cid;
  expect(at("2026-11-21")).toBe("last");
  expect(at("2026-11-19")).toBe("first");
  expect(at("2025-01-01")).toBe("behind");
  expect(() => at("2019-01-01")).toThrow(/no snapshot is as old as "2019-01-01" in this folder/);
  expect(chooseSnapshot(snapshots, "newest", here).cid).toBe("behind");
});
