import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type Config, loadConfig } from "#config.ts";
import { dataPaths } from "#config/data-paths.ts";
import { restoreSnapshot } from "#engine/snapshots/restore-snapshot.ts";
import { SnapshotStore } from "#engine/snapshots/snapshot-store.ts";
import { ObjectIndex } from "#index/object-index.ts";
import { actAs } from "#model/acting.ts";
import { loadDrivers } from "#registry.ts";
import { sharedQueueServer } from "../../conformance/shared-queue-server.ts";
import { temporaryFolder } from "../../index/open-index.ts";
import { coolPolicy } from "../cool-policy.ts";
import { type RunningEngine, runEngine } from "../running-engine.ts";

const server = sharedQueueServer();

const until = "2039-03-01T06:00:00.000Z";

/** Orders before a snapshot, and others after it. */
async function ordered(running: RunningEngine): Promise<{ readonly lateCid: string }> {
  const { engine, folder } = running;
  await running.importFiles(5);
  await engine.setHold("/source/0.txt", true, "before");
  await engine.setHold("/source/1.txt", true, "before");
  await engine.takeSnapshot({});
  const by = { actor: "ana@desk", reason: "audit 7" };
  await actAs(by, () => engine.setHold("/source/2.txt", true, "audit 7"));
  await engine.setHold("/source/1.txt", false, "over");
  await engine.setHold("/source/3.txt", true, "for a moment");
  await engine.setHold("/source/3.txt", false, "over");
  await engine.setCordon("warm", true);
  await engine.setCordon("cold", true);
  await engine.setCordon("cold", false);
  const night = { scope: "backend", name: "cold", reason: "disks", until } as const;
  await actAs(by, () => engine.control({ ...night, verb: "pause" }));
  await engine.control({ verb: "pause", scope: "policy", name: "cool", reason: "not yet" });
  await engine.control({ verb: "resume", scope: "policy", name: "cool", reason: "now" });
  await engine.control({ verb: "pause", scope: "everything", name: "", reason: "moving house" });
  await writeFile(join(folder, "late.txt"), "came after the snapshot");
  await Array.fromAsync(engine.importDirectory({ path: folder, backend: "hot" }));
  const late = (await Array.fromAsync(engine.objects({ where: 'path like "**/late.txt"' }))).flat();
  const lateCid = late[0]?.cid ?? "";
  await engine.setHold(lateCid, true, "late");
  return { lateCid };
}

async function configuration(folder: string): Promise<Config> {
  const drivers = await loadDrivers();
  return await loadConfig({ cwd: folder, env: {}, hostname: "test-node", drivers });
}

test.for(["parquet", "arrow", "csv", "ndjson", "json"])(
  "holds and cordons after the snapshot come back from an exported ledger: %s",
  async (format) => {
    await using running = await runEngine({ queueUrl: server.url, policy: coolPolicy });
    const { lateCid } = await ordered(running);
    const ledger = join(running.folder, `audit.${format}`);
    await running.engine.exportAudit({ file: ledger });
    const config = await configuration(running.folder);
    const store = new SnapshotStore(dataPaths(config.dataDirectory).snapshots);
    const here = { ...config, dataDirectory: join(await temporaryFolder(), "data") };
    const now = new Date();
    const report = await restoreSnapshot(store, { config: here, reference: "newest", now, ledger });
    expect(report.replayed).toEqual({
      holds: 1,
      releases: 2,
      cordons: 2,
      pauses: 3,
      schedules: 0,
      cancelled: 0,
      unknown: [{ cid: lateCid, reason: "late" }],
    });

    const index = await ObjectIndex.open(report.path, { now: () => now });
    onTestFinished(() => index.close());
    await using session = await index.session();
    const rows = (text: string) => session.rows({ text, parameters: [] });
    expect(await rows("SELECT path FROM object WHERE held ORDER BY path")).toEqual([
      { path: "/source/0.txt" },
      { path: "/source/2.txt" },
    ]);
    const cordoned = (await index.backends()).filter((backend) => backend.cordoned);
    expect(cordoned.map(({ name }) => name)).toEqual(["warm"]);
    const pauses = await index.controls.pauses();
    expect(pauses.toSorted((a, b) => (a.scope < b.scope ? -1 : 1))).toMatchObject([
      { scope: "backend", name: "cold", actor: "ana@desk", reason: "disks", until },
      { scope: "everything", reason: "moving house", until: undefined },
    ]);
    expect(await rows("SELECT actor, note FROM ledger WHERE actor IS NOT NULL")).toContainEqual({
      actor: "ana@desk",
      note: "audit 7",
    });
    expect(await index.checkAudit()).toMatchObject({ findings: [] });
  },
);

test("a file that is no ledger restores nothing", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy: coolPolicy });
  await running.importFiles(1);
  await running.engine.takeSnapshot({});
  const config = await configuration(running.folder);
  const store = new SnapshotStore(dataPaths(config.dataDirectory).snapshots);
  const here = { ...config, dataDirectory: join(await temporaryFolder(), "data") };
  const options = { config: here, reference: "newest", now: new Date() };
  const wrong = join(running.folder, "wrong.csv");
  await writeFile(wrong, "a,b\n1,2\n");
  const strange = restoreSnapshot(store, { ...options, ledger: wrong });
  await expect(strange).rejects.toMatchObject({ code: "USAGE" });
  const missing = restoreSnapshot(store, { ...options, ledger: join(running.folder, "no.csv") });
  await expect(missing).rejects.toMatchObject({ code: "NOT_FOUND" });
  const other = restoreSnapshot(store, { ...options, ledger: "/audit.txt" });
  await expect(other).rejects.toMatchObject({ code: "USAGE" });
  // Nothing stands in the way of the next attempt.
  expect(await restoreSnapshot(store, options)).toMatchObject({ objects: 1 });
});
