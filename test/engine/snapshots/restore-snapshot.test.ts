import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Config, loadConfig } from "#config.ts";
import { dataPaths } from "#config/data-paths.ts";
import { type Engine, openEngine } from "#engine.ts";
import { restoreSnapshot } from "#engine/snapshots/restore-snapshot.ts";
import { SnapshotStore } from "#engine/snapshots/snapshot-store.ts";
import { ObjectIndex } from "#index/object-index.ts";
import type { SnapshotReport } from "#model/index-snapshot.ts";
import { permitMarginMs } from "#model/removal.ts";
import { loadDrivers } from "#registry.ts";
import { temporaryFolder } from "../../index/open-index.ts";
import { redisMissing, startRedis } from "../../services/redis.ts";
import { type RunningEngine, runEngine } from "../running-engine.ts";

const why = redisMissing();
const policy = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: archive}
rules:
  - name: to-cold
    where: path like "**/1*.txt"
    demote: {from: tier = hot, to: tier = cold}
  - name: spread
    where: size > 0
    ensure: {copies: 2, on: tier >= hot}
`;

describe.skipIf(why !== undefined)(`a restored snapshot${why ? ` (skipped: ${why})` : ""}`, () => {
  let redis: Awaited<ReturnType<typeof startRedis>>;
  let running: RunningEngine;
  let config: Config;
  let store: SnapshotStore;
  let taken: SnapshotReport;
  let plannedCid: string;
  const now = new Date("2027-01-01T00:00:00Z");
  const at = "2027-01-01T00:00:00.000Z";

  beforeAll(async () => {
    redis = await startRedis();
    running = await runEngine({ queueUrl: redis.url, policy });
    await running.importFiles(12);
    await running.applyToEnd();
    const { engine, folder } = running;
    await writeFile(join(folder, "later.txt"), "not planned yet");
    await Array.fromAsync(engine.importDirectory({ path: folder, backend: "hot" }));
    await engine.setHold("/source/3.txt", true, "legal");
    taken = await engine.takeSnapshot({});
    plannedCid = (await engine.plan({ at })).plan.cid;
    const drivers = await loadDrivers();
    config = await loadConfig({ cwd: folder, env: {}, hostname: "test-node", drivers });
    store = new SnapshotStore(dataPaths(config.dataDirectory).snapshots);
  });

  afterAll(async () => {
    await running[Symbol.asyncDispose]();
    await redis.stop();
  });

  /** The same installation on a new data directory. */
  const moved = async (): Promise<Config> => ({
    ...config,
    dataDirectory: join(await temporaryFolder(), "data"),
  });

  const open = async (here: Config): Promise<Engine> =>
    await openEngine({
      config: here,
      definitions: await loadDrivers(),
      env: { TEST_QUEUE_URL: redis.url },
      version: "0.0.0-test",
    });

  test("gives up listings of before, which know nothing of what was removed since", async () => {
    const here = await moved();
    const { imports } = dataPaths(here.dataDirectory);
    await mkdir(join(imports, "inventory-hot"), { recursive: true });
    await writeFile(join(imports, "inventory-hot", "listing.json"), "{}");
    await writeFile(join(imports, "malformed.csv"), "");
    await restoreSnapshot(store, { config: here, reference: "newest", now });
    expect(await readdir(imports)).toEqual(["malformed.csv"]);
  });

  test("plans the same plan, and every row but those of its terms is the same", async () => {
    const here = await moved();
    const report = await restoreSnapshot(store, { config: here, reference: "newest", now });
    expect(report).toMatchObject({ cid: taken.cid, objects: taken.objects });
    const engine = await open(here);
    try {
      expect((await engine.plan({ at })).plan.cid).toBe(plannedCid);
      expect(await engine.checkAudit()).toMatchObject({ findings: [] });
      const again = await engine.takeSnapshot({});
      const copy = new SnapshotStore(dataPaths(here.dataDirectory).snapshots);
      const [before, after] = [await store.find(taken.cid), await copy.find(again.cid)];
      const differing = after.manifest.tables.filter(({ family, table, parts }) => {
        const known = before.manifest.tables.find(
          (other) => other.family === family && other.table === table,
        );
        return (
          parts.map(({ cid }) => cid.toString()).join() !==
          known?.parts.map(({ cid }) => cid.toString()).join()
        );
      });
      expect(differing.map(({ table }) => table)).toEqual(["controller_terms"]);
    } finally {
      await engine.close();
    }
  });

  test("lets nobody remove anything while permits that it does not know may be in use", async () => {
    const here = await moved();
    const { removalsFrom, path } = await restoreSnapshot(store, {
      config: here,
      reference: taken.cid,
      now,
    });
    const { permitTtlMs, clockSkewMs } = here.safety;
    expect(Date.parse(removalsFrom)).toBe(
      now.getTime() + permitTtlMs + permitMarginMs(clockSkewMs),
    );
    const index = await ObjectIndex.open(path, { now: () => now });
    const term = await index.terms.latest();
    await index.close();
    expect(term?.permitsFrom.toISOString()).toBe(removalsFrom);
  });

  test("replaces no index, and plays no log of a lost one into the new one", async () => {
    await expect(
      restoreSnapshot(store, { config, reference: "newest", now }),
    ).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
    // The second is there where it was killed while it folded the first.
    for (const log of [".wal", ".wal.checkpoint"]) {
      const dataDirectory = await temporaryFolder();
      const { index } = dataPaths(dataDirectory);
      await writeFile(`${index}${log}`, "left behind");
      await expect(
        restoreSnapshot(store, { config: { ...config, dataDirectory }, reference: "newest", now }),
      ).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
    }
  });
});
