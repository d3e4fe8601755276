import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { SnapshotStore } from "#engine/snapshots/snapshot-store.ts";

test("a folder that was never made holds no snapshots", async () => {
  const store = new SnapshotStore(join(await folder(), "snapshots"));
  expect(await store.list()).toEqual({ snapshots: [], damaged: [] });
  expect(await store.parts()).toEqual(new Map());
});

test("a place that cannot be read is not taken for one without snapshots", async () => {
  const place = join(await folder(), "snapshots");
  await writeFile(place, "no folder");
  const store = new SnapshotStore(place);
  const refusal = { code: "UNREADABLE", message: `${place} is not a folder` };
  await expect(store.list()).rejects.toMatchObject(refusal);
  await expect(store.find("newest")).rejects.toMatchObject(refusal);
});

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "thermocline-snapshots-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}
