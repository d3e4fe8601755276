import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SnapshotStore } from "#engine/snapshots/snapshot-store.ts";
import { Connection } from "#index/connection.ts";
import { migrate } from "#index/migrate.ts";
import { ObjectIndex } from "#index/object-index.ts";
import { sqlLiteral } from "#index/sql-literal.ts";
import { seededRandom } from "../../scripts/seeded-random.ts";
import { backendFacts, copyOn, objectOf, start } from "../index/open-index.ts";
import { type IndexWork, indexWork } from "./index-work.ts";

const kills = Number(process.env["THERMOCLINE_TEST_KILLS"] ?? 2);
const random = seededRandom(Number(process.env["THERMOCLINE_TEST_SEED"] ?? 20_261_122));
const program = fileURLToPath(new URL("index-at-work.ts", import.meta.url));
const objectsBefore = 10_000;
const olderSchema = 15;

/** After what a kind of work says of itself it is killed, within so many milliseconds. */
const moments: Readonly<Record<IndexWork, readonly [after: string, withinMs: number]>> = {
  import: ["committed", 400],
  commit: ["committed", 200],
  snapshot: ["snapshot", 400],
  compact: ["closing", 60],
  migrate: ["opening", 500],
};

let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "thermocline-kill-index-"));
  const path = join(folder, "before.duckdb");
  const index = await ObjectIndex.open(path, { now: () => start });
  await index.syncBackends([backendFacts("hot")]);
  for (let from = 0; from < objectsBefore; from += 2_000) {
    const objects = Array.from({ length: 2_000 }, (_, at) => objectOf(from + at, [copyOn("hot")]));
    await index.putObjects(objects, start);
  }
  await index.hold([1, 2, 3], "legal", start);
  await index.close();
  await makeOlder(path, join(folder, "older.duckdb"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

test.for([...indexWork])(
  `killed while it does this, the index opens and agrees with its ledger: %s (${kills} kills)`,
  { timeout: 60_000 + kills * 10_000 },
  async (kind) => {
    const path = join(folder, `${kind}.duckdb`);
    const snapshots = join(folder, `${kind}-snapshots`);
    const older = kind === "migrate";
    await copyFile(join(folder, older ? "older.duckdb" : "before.duckdb"), path);
    for (let kill = 0; kill < kills; kill += 1) {
      const told = await killAtWork(kind, path, snapshots);
      const index = await ObjectIndex.open(path);
      try {
        const { objects } = await index.totals(1);
        expect(objects).toBeGreaterThanOrEqual(Math.max(told, objectsBefore));
        expect((objects - objectsBefore) % 2_000).toBe(0);
        expect(await index.checkAudit()).toMatchObject({ findings: [] });
        expect(await heldByLedger(index)).toEqual([]);
      } finally {
        await index.close();
      }
      if (older) await copyFile(join(folder, "older.duckdb"), path);
    }
    if (kind !== "snapshot") return;
    const store = new SnapshotStore(snapshots);
    const { snapshots: whole, damaged } = await store.list();
    expect(damaged).toEqual([]);
    for (const { manifest } of whole) {
      for (const { parts } of manifest.tables) {
        for (const part of parts) await store.verifiedPart(part);
      }
    }
  },
);

/** Kills a process at work at a moment of its own; says how many objects it had told of. */
async function killAtWork(kind: IndexWork, path: string, snapshots: string): Promise<number> {
  const [after, withinMs] = moments[kind];
  const child = spawn(process.execPath, [program, path, snapshots, kind], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const begun = Promise.withResolvers<undefined>();
  let objects = 0;
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => {
    const told = JSON.parse(line) as { readonly what: string; readonly objects: number };
    if (told.what === "committed") ({ objects } = told);
    if (told.what === after) begun.resolve(undefined);
  });
  await Promise.race([begun.promise, exited]);
  await delay(random() * withinMs);
  child.kill("SIGKILL");
  await exited;
  lines.close();
  // Only what is brought up to date may have been done before.
  expect(kind === "migrate" || child.signalCode === "SIGKILL").toBe(true);
  return objects;
}

/** Objects of which the ledger says another thing about holds than the index does. */
async function heldByLedger(index: ObjectIndex): Promise<readonly unknown[]> {
  await using session = await index.session();
  const text = `
    SELECT o.object_id FROM object AS o LEFT JOIN (
      SELECT object_id, arg_max(reason, entry_id) <> 'released' AS held
      FROM ledger WHERE kind = 'hold' GROUP BY object_id
    ) AS l USING (object_id) WHERE o.held <> coalesce(l.held, false)`;
  return await session.rows({ text, parameters: [] });
}

/** The same index in an older form: what that form knows of it. */
async function makeOlder(newer: string, path: string): Promise<void> {
  const instance = await DuckDBInstance.create(path);
  const connection = new Connection(await instance.connect());
  await migrate(connection, start, olderSchema);
  await connection.run(`ATTACH ${sqlLiteral(newer)} AS newer (READ_ONLY)`);
  const tables = await connection.rows<{ table: string; columns: string }>(
    `SELECT o.table_name AS table, string_agg(o.column_name, ', ') AS columns
     FROM duckdb_columns() AS o JOIN duckdb_columns() AS n USING (table_name, column_name)
     JOIN duckdb_tables() AS t ON t.table_oid = o.table_oid AND t.database_name = o.database_name
     WHERE o.database_name = current_database() AND n.database_name = 'newer'
       AND o.table_name <> 'schema_version'
     GROUP BY ALL ORDER BY ALL`,
  );
  for (const { table, columns } of tables) {
    await connection.run(`DELETE FROM ${table}`);
    await connection.run(`INSERT INTO ${table} (${columns}) SELECT ${columns} FROM newer.${table}`);
  }
  await connection.run("DETACH newer");
  await connection.run("CHECKPOINT");
  connection.close();
  instance.closeSync();
}
