import { mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Config, loadConfig } from "#config.ts";
import { dataPaths } from "#config/data-paths.ts";
import { clearDataDirectory } from "#engine/clear-abandoned.ts";
import { PublishedIndexes } from "#engine/published-indexes.ts";
import { SnapshotStore } from "#engine/snapshots/snapshot-store.ts";
import { collectGarbage } from "#engine/snapshots/collect-garbage.ts";
import { loadDrivers } from "#registry.ts";
import { openIndex, temporaryFolder } from "../index/open-index.ts";

const uuid = "0b6c1f0e-3f0c-4b0a-9d0e-7a1c2d3e4f50";
const other = "1b6c1f0e-3f0c-4b0a-9d0e-7a1c2d3e4f50";

/** Files to which nobody has written for two hours, and others that are new. */
async function lay(folder: string, old: readonly string[], fresh: readonly string[]) {
  await mkdir(folder, { recursive: true });
  const then = new Date(Date.now() - 2 * 3_600_000);
  for (const name of [...old, ...fresh]) await writeFile(join(folder, name), "bytes");
  for (const name of old) await utimes(join(folder, name), then, then);
}

test("what killed processes left in a data directory goes, and nothing else", async () => {
  const dataDirectory = await temporaryFolder();
  const drivers = await loadDrivers();
  const loaded = await loadConfig({ cwd: dataDirectory, env: {}, hostname: "n", drivers });
  const config: Config = { ...loaded, dataDirectory };
  const { plans } = dataPaths(dataDirectory);
  const left = [
    `index.duckdb.${uuid}.new`,
    `index.duckdb.${uuid}.new.wal`,
    "index.duckdb.fetched",
    `index.duckdb.fetched.${uuid}`,
    `identity.${uuid}`,
  ];
  const kept = [
    "index.duckdb",
    "index.duckdb.wal",
    "index.duckdb.wal.checkpoint",
    "index.duckdb.replaced",
    "identity",
    "index.duckdb.backup.new",
    "identity.old",
  ];
  const young = [`index.duckdb.${other}.new`, `index.duckdb.fetched.${other}`];
  await lay(dataDirectory, [...left, ...kept], young);
  // With the index open nothing else can take its place: these need not be old.
  const restoring = [`index.duckdb.${uuid}.restoring`, `index.duckdb.${uuid}.restoring.wal`];
  await lay(dataDirectory, [], restoring);
  const drafts = [`draft-1-${uuid}.plan.parquet`, `bafy.plan.parquet.${uuid}.tmp`];
  const plansKept = ["bafy.plan.parquet", "draft-mine.plan.json"];
  await lay(plans, [...drafts, ...plansKept], [`draft-2-${other}.plan.json`]);
  await clearDataDirectory(config);
  expect((await readdir(dataDirectory)).toSorted()).toEqual(
    [...kept, ...young, "plans"].toSorted(),
  );
  expect((await readdir(plans)).toSorted()).toEqual(
    [...plansKept, `draft-2-${other}.plan.json`].toSorted(),
  );
});

test("a publication of the index clears what killed ones left in the shared folder", async () => {
  const { index, folder } = await openIndex();
  const shared = join(folder, "shared");
  const published = new PublishedIndexes(shared, 1);
  const left = [`${uuid}.draft`, `${uuid}.draft.wal`, "bafyold.duckdb"];
  const young = [`${other}.draft`, "bafynew.duckdb"];
  await lay(shared, left, young);
  const about = { epoch: 1, node: "n", final: false };
  const { cid } = await published.publish(index, about, new Date());
  const record = "0000000001-000000000000001.json";
  const names = await readdir(shared);
  expect(names.filter((name) => !/^\d+-\d+\.json$/.test(name)).toSorted()).toEqual(
    [...young, `${cid}.duckdb`].toSorted(),
  );
  // What an unreadable record announces may be the last that there is.
  await lay(shared, left, [record]);
  await published.publish(index, { ...about, epoch: 2 }, new Date());
  expect(await readdir(shared)).toEqual(expect.arrayContaining(["bafyold.duckdb", record]));
  expect(await readdir(shared)).not.toContain(`${uuid}.draft`);
});

test("a gc of snapshots clears drafts of tails that nobody writes any more", async () => {
  const store = new SnapshotStore(await temporaryFolder());
  const tails = join(store.directory, "ledger", "some-installation");
  await lay(tails, [`.draft-${uuid}`], [`.draft-${other}`]);
  await collectGarbage(store, { keep: 1 });
  expect(await readdir(tails)).toEqual([`.draft-${other}`]);
});
