import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  sampleSnapshot,
  sampleSnapshotDiff,
  sampleSnapshotReport,
} from "../api/sample-snapshot.ts";
import { PassingSnapshots } from "#engine/snapshots/passing-snapshots.ts";
import { SnapshotStore } from "#engine/snapshots/snapshot-store.ts";
import { takeSnapshot } from "#engine/snapshots/take-snapshot.ts";
import { filledIndex, start } from "../engine/snapshots/filled-index.ts";
import { CommandLine } from "./command-line.ts";

let line: CommandLine;
beforeEach(async () => {
  line = await CommandLine.open();
});
afterEach(() => line[Symbol.asyncDispose]());

test("index snapshot says what it wrote, or that nothing has changed", async () => {
  const asked: unknown[] = [];
  const answer = (unchanged: boolean) => ({
    takeSnapshot: (request: object) => {
      asked.push(request);
      return Promise.resolve({ ...sampleSnapshotReport, unchanged });
    },
  });
  const first = await line.run(["index", "snapshot"], { api: answer(false) });
  expect(first.code).toBe(0);
  expect(first.stdout).toBe(
    "bafysnapshot\n10 objects, 4.00 KiB in 30 parts; wrote 2 parts, 400 B\n",
  );
  const full = ["index", "snapshot", "create", "--full"];
  const again = await line.run(full, { api: answer(true) });
  expect(again.stdout).toContain("nothing has changed since");
  expect(asked).toEqual([{}, { full: true }]);
});

test("index snapshot ls names what is damaged and then ends with 1", async () => {
  const list = { snapshots: [sampleSnapshot], damaged: ["bafyother"] };
  const listed = await line.run(["index", "snapshot", "ls"], {
    api: { snapshots: () => Promise.resolve(list) },
  });
  expect(listed.code).toBe(1);
  expect(listed.stdout).toMatch(/^SNAPSHOT +TAKEN +OBJECTS +BYTES +COMMITS +PARENT\nbafysnapshot/);
  expect(listed.stderr).toContain("bafyother");
  const none = { snapshots: () => Promise.resolve({ snapshots: [], damaged: [] }) };
  const empty = await line.run(["index", "snapshot", "ls"], { api: none });
  expect(empty).toMatchObject({ code: 0 });
  expect(empty.stdout).toContain("no snapshot yet");
});

test("index snapshot ls says which snapshot is from the future", async () => {
  const ahead = { ...sampleSnapshot, cid: "bafyahead", takenAt: "2027-01-01T00:00:00.000Z" };
  const list = { snapshots: [sampleSnapshot, ahead], damaged: [] };
  const listed = await line.run(["index", "snapshot", "ls"], {
    api: { snapshots: () => Promise.resolve(list) },
  });
  expect(listed.code).toBe(0);
  expect(listed.stderr).toMatch(
    /^from the future, by a clock that was ahead: bafyahead, taken 2027.*\n$/,
  );
});

test("index snapshot diff shows tables, or that there is no difference", async () => {
  const command = ["index", "snapshot", "diff", "bafyp", "newest"];
  const text = await line.run(command, { api: diff(sampleSnapshotDiff.tables) });
  expect(text.stdout).toMatch(/heat +objects +1 +0 +2 +1 of 4/);
  const same = await line.run(command, { api: diff([]) });
  expect(same.stdout).toBe("they hold the same\n");
  const json = await line.run([...command, "-o", "json"], { api: diff([]) });
  expect(JSON.parse(json.stdout)).toMatchObject({ from: "bafyp", to: "newest", tables: [] });
});

function diff(tables: typeof sampleSnapshotDiff.tables) {
  return {
    diffSnapshots: (request: object) =>
      Promise.resolve({ ...sampleSnapshotDiff, ...request, tables }),
  };
}

test("index snapshot restore makes the index of a data directory, and replaces none", async () => {
  const { index, store } = await filledIndex(20);
  const { cid } = await takeSnapshot(index, store, { now: start });
  const backend = "{name: hot, driver: local, tier: hot, options: {path: ./hot}}";
  const config = `apiVersion: thermocline/v1\nbackends: [${backend}]\n`;
  await writeFile(join(line.cwd, "thermocline.yaml"), config);
  const command = ["index", "snapshot", "restore", cid.slice(0, 12), "--from", store.directory];
  const restored = await line.run(command);
  expect(restored).toMatchObject({ code: 0 });
  expect(restored.stdout).toContain(`${cid}\n20 objects as of ${start.toISOString()}`);
  expect(restored.stdout).toContain("nothing is removed before 2026-06-01T");
  expect(restored.stderr).toContain("import inventory");
  const again = await line.run([...command, "-o", "json"]);
  expect(again.code).toBe(1);
  expect(again.stderr + again.stdout).toContain("is not replaced");
});

test("index snapshot restore newest takes nothing that was only passing through, nor a guess", async () => {
  const [own, other] = [await filledIndex(5), await filledIndex(6)];
  const store = new SnapshotStore(join(line.cwd, ".thermocline", "snapshots"));
  const { cid } = await takeSnapshot(own.index, store, { now: start });
  const later = new Date(start.getTime() + 60_000);
  const foreign = await takeSnapshot(other.index, store, { now: later });
  const backend = "{name: hot, driver: local, tier: hot, options: {path: ./hot}}";
  const config = `apiVersion: thermocline/v1\nbackends: [${backend}]\n`;
  await writeFile(join(line.cwd, "thermocline.yaml"), config);
  const unclear = await line.run(["index", "snapshot", "restore", "newest"]);
  expect(unclear.code).not.toBe(0);
  expect(unclear.stderr).toContain("2 installations keep snapshots");
  expect(unclear.stderr).toContain(cid);

  await new PassingSnapshots(store).mark(foreign.cid, true);
  const restored = await line.run(["index", "snapshot", "restore", "newest"]);
  expect(restored).toMatchObject({ code: 0 });
  expect(restored.stdout).toContain(`${cid}\n5 objects`);
});

test("index snapshot gc wants to be told how many stay, and says what a dry run would do", async () => {
  const report = { kept: ["a"], removed: ["b", "c"], partsRemoved: 4, bytesRemoved: 2_048 };
  const api = { collectSnapshots: () => Promise.resolve(report) };
  const dry = await line.run(["index", "snapshot", "gc", "--keep", "1", "--dry-run"], { api });
  expect(dry.stdout).toBe("would remove 2 snapshots and 4 parts, 2.00 KiB; 1 snapshots stay\n");
  expect((await line.run(["index", "snapshot", "gc"], { api })).code).toBe(64);
  expect((await line.run(["index", "snapshot", "gc", "--keep", "0"], { api })).code).toBe(64);
});
