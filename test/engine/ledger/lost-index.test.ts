import { readdir, rm, writeFile } from "node:fs/promises";
import { expect, onTestFinished, test } from "vitest";
import { type Config, loadConfig } from "#config.ts";
import { openSnapshotReader } from "#engine/snapshots/snapshot-reader.ts";
import { restoreSnapshot } from "#engine/snapshots/restore-snapshot.ts";
import { SnapshotStore } from "#engine/snapshots/snapshot-store.ts";
import { dataPaths } from "#config/data-paths.ts";
import { ObjectIndex } from "#index/object-index.ts";
import type { SqlRow } from "#model/sql.ts";
import { loadDrivers } from "#registry.ts";
import { sharedQueueServer } from "../../conformance/shared-queue-server.ts";
import { coolPolicy } from "../cool-policy.ts";
import { type RunningEngine, runEngine } from "../running-engine.ts";

const server = sharedQueueServer();
const snapshots = "snapshots: {every: 6h, push: [cold], ledgerEvery: 1h}";

async function configured(folder: string): Promise<Config> {
  const drivers = await loadDrivers();
  return await loadConfig({ cwd: folder, env: {}, hostname: "test-node", drivers });
}

/** Removals, a hold and a cordon after the last snapshot; then the engine has ended. */
async function endAfterRemovals(running: RunningEngine): Promise<void> {
  const { engine } = running;
  await running.importFiles(6);
  await engine.setHold("/source/5.txt", true, "before");
  await engine.takeSnapshot({});
  await engine.pushSnapshot({ snapshot: "newest", to: "cold" });
  await engine.start();
  await running.applyToEnd();
  await engine.setHold("/source/2.txt", true, "audit 7");
  await engine.setCordon("warm", true);
  await engine.close();
}

/** Questions to an index that nobody has open. */
async function asked(path: string, ...questions: readonly string[]) {
  const index = await ObjectIndex.open(path);
  try {
    const answers: (readonly SqlRow[])[] = [];
    await using session = await index.session();
    for (const text of questions) answers.push(await session.rows({ text, parameters: [] }));
    return { answers, findings: (await index.checkAudit()).findings };
  } finally {
    await index.close();
  }
}

test("a data directory that is lost loses nothing of the ledger: evidence, holds and removals come back", async () => {
  await using running = await runEngine({
    queueUrl: server.url,
    policy: coolPolicy,
    more: snapshots,
  });
  await endAfterRemovals(running);
  expect(running.errors).toEqual([]);
  const config = await configured(running.folder);
  const history = "SELECT * EXCLUDE (message, object_id) FROM audit ORDER BY entry_id";
  const before = await asked(dataPaths(config.dataDirectory).index, history);
  const recorded = before.answers[0] ?? [];
  expect(recorded.filter(({ kind }) => kind === "proof")).toHaveLength(5);
  await rm(config.dataDirectory, { recursive: true });

  const definitions = await loadDrivers();
  const reader = await openSnapshotReader({ config, definitions, env: {}, version: "test" });
  onTestFinished(() => reader.close());
  const pulled = await reader.api.pullSnapshot({ snapshot: "newest", from: "cold" });
  expect(pulled.tailsMoved).toBe(1);
  const store = new SnapshotStore(dataPaths(config.dataDirectory).snapshots);
  const now = new Date();
  const restored = await restoreSnapshot(store, { config, reference: "newest", now });
  expect(restored.recovered).toMatchObject({ copiesGone: 5, leftOut: 0 });
  expect(restored.replayed).toMatchObject({ holds: 1, cordons: 1, unknown: [] });

  const after = await asked(
    restored.path,
    history.replace("ORDER", `WHERE entry_id < ${recorded.length} ORDER`),
    "SELECT path, backend FROM object JOIN copy USING (object_id) WHERE backend = 'hot'",
    "SELECT path FROM object WHERE held ORDER BY path",
  );
  expect(after).toEqual({
    answers: [
      recorded,
      [{ path: "/source/5.txt", backend: "hot" }],
      [{ path: "/source/2.txt" }, { path: "/source/5.txt" }],
    ],
    findings: [],
  });
});

test("a lost index alone comes back from what lies beside it, as far as the files are whole", async () => {
  await using running = await runEngine({
    queueUrl: server.url,
    policy: coolPolicy,
    more: snapshots,
  });
  await endAfterRemovals(running);
  const config = await configured(running.folder);
  const paths = dataPaths(config.dataDirectory);
  await rm(paths.index);
  const store = new SnapshotStore(paths.snapshots);
  const options = { config, reference: "newest", now: new Date() };
  const whole = await restoreSnapshot(store, options);
  expect(whole.recovered).toMatchObject({ copiesGone: 5, leftOut: 0 });

  const [installation = ""] = await readdir(store.tails.directory);
  const [tail] = await store.tails.list(installation);
  if (tail === undefined) throw new Error("there is no tail");
  await rm(store.tails.path(installation, tail));
  await writeFile(store.tails.path(installation, tail), "not what it was");
  await rm(paths.index);
  const without = await restoreSnapshot(store, options);
  expect(without.recovered).toMatchObject({ entries: 0, copiesGone: 0, leftOut: 1 });
});
