import { mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { loadConfig } from "#config.ts";
import { openSnapshotReader } from "#engine/snapshots/snapshot-reader.ts";
import { pushSnapshot } from "#engine/snapshots/push-snapshot.ts";
import { takeSnapshot } from "#engine/snapshots/take-snapshot.ts";
import { loadDrivers } from "#registry.ts";
import { farStore } from "./far-store.ts";
import { filledIndex, readObjects, start } from "./filled-index.ts";

/** A node that has no index, and a backend to which snapshots are pushed. */
async function readingNode() {
  const { folder: far, remote } = await farStore();
  const { index, store } = await filledIndex(20);
  const folder = await mkdtemp(join(tmpdir(), "thermocline-reader-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const backend = `{name: far, driver: local, tier: cold, options: {path: ${far}}}`;
  await writeFile(
    join(folder, "thermocline.yaml"),
    `apiVersion: thermocline/v1\nbackends: [${backend}]\n`,
  );
  const definitions = await loadDrivers();
  const input = { cwd: folder, env: {}, hostname: "test", drivers: definitions };
  const config = await loadConfig(input);
  const reader = await openSnapshotReader({ config, definitions, env: {}, version: "0.0.0-test" });
  onTestFinished(() => reader.close());
  let taken = 0;
  return {
    api: reader.api,
    snapshots: join(folder, ".thermocline", "snapshots"),
    push: async () => {
      taken += 1;
      await readObjects(index, `batch ${taken}`, [taken]);
      const now = new Date(start.getTime() + taken * 60_000);
      const { cid } = await takeSnapshot(index, store, { now, partRows: 16 });
      await pushSnapshot(store, remote, { snapshot: cid });
      return cid;
    },
  };
}

test("who asks for the newest again and again keeps few, and those it fetched to keep", async () => {
  const { api, push, snapshots } = await readingNode();
  const kept = await push();
  await api.pullSnapshot({ snapshot: kept, from: "far" });
  // Asking for one that is here to stay changes nothing of that.
  await api.pullSnapshot({ snapshot: kept, from: "far", passing: true });
  const asked: string[] = [];
  for (let round = 0; round < 6; round += 1) {
    const cid = await push();
    asked.push(cid);
    await api.pullSnapshot({ snapshot: "newest", from: "far", passing: true });
    await utimes(join(snapshots, "passing", cid), round + 1, round + 1);
  }
  const { snapshots: here } = await api.snapshots({});
  expect(here.map(({ cid }) => cid)).toEqual([...asked.slice(-4).toReversed(), kept]);
  const rows = await Array.fromAsync(
    api.query("SELECT count(*) AS n FROM object", { snapshot: asked.at(-1) ?? "" }),
  );
  expect(rows.flatMap((chunk) => chunk.rows)).toEqual([{ n: 20 }]);
});

test("parts that nobody needs go, but for those that may just be arriving", async () => {
  const { api, push, snapshots } = await readingNode();
  const parts = join(snapshots, "parts");
  for (let round = 0; round < 5; round += 1) {
    await push();
    await api.pullSnapshot({ snapshot: "newest", from: "far", passing: true });
  }
  const fresh = (await readdir(parts)).length;
  for (const name of await readdir(parts)) await utimes(join(parts, name), 1, 1);
  await push();
  await api.pullSnapshot({ snapshot: "newest", from: "far", passing: true });
  expect((await readdir(parts)).length).toBeLessThan(fresh);
  for (const { cid } of (await api.snapshots({})).snapshots) {
    const request = { from: cid, to: "newest" };
    expect(await api.diffSnapshots(request)).toMatchObject({ from: cid });
    await Array.fromAsync(api.query("SELECT count(*) FROM copy", { snapshot: cid }));
  }
});
