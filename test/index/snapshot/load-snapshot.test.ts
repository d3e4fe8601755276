import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { schemaVersion } from "#index/migrate.ts";
import { ObjectIndex } from "#index/object-index.ts";
import { loadSnapshot } from "#index/snapshot/load-snapshot.ts";
import { defaultPartRows, snapshotTables } from "#index/snapshot/snapshot-tables.ts";
import type { TableFiles } from "#index/snapshot/table-files.ts";
import { partRows, tableParts } from "#index/snapshot/table-parts.ts";
import { copyOn, objectOf, openIndex, start, temporaryFolder } from "../open-index.ts";

const options = { memoryLimit: "256MB", threads: 1, now: start };

test("every column of every table of the index is in a snapshot, and in one family", async () => {
  const { index } = await openIndex();
  await using session = await index.session();
  const stored = await session.rows({
    text: `SELECT table_name || '.' || column_name AS place FROM duckdb_columns()
           JOIN duckdb_tables() USING (database_name, table_oid, table_name)
           WHERE database_name = current_database() ORDER BY ALL`,
    parameters: [],
  });
  const placed = (await snapshotTables(session, defaultPartRows)).flatMap((table) =>
    table.columns
      // The key of objects is what puts the families together again.
      .filter(
        ([column]) =>
          table.family === "identity" || table.table !== "objects" || column !== "object_id",
      )
      .map(([column]) => `${table.table}.${column}`),
  );
  expect(placed.toSorted()).toEqual(stored.map(({ place }) => String(place)).toSorted());
});

test("a snapshot of an older schema becomes an index of the current one", async () => {
  const path = join(await temporaryFolder(), "index.duckdb");
  await loadSnapshot(path, [], { ...options, schema: 3 });
  const index = await ObjectIndex.open(path, { threads: 1, now: () => start });
  onTestFinished(() => index.close());
  await using session = await index.session();
  expect(
    await session.rows({ text: "SELECT max(version) AS v FROM schema_version", parameters: [] }),
  ).toEqual([{ v: schemaVersion }]);
  expect(await index.checkSummaries()).toEqual([]);
});

test("a snapshot of a newer schema is refused with what to do", async () => {
  const path = join(await temporaryFolder(), "index.duckdb");
  const newer = { ...options, schema: schemaVersion + 1 };
  await expect(loadSnapshot(path, [], newer)).rejects.toMatchObject({ code: "NOT_SUPPORTED" });
});

test("parts that do not hold the rows that they should are refused", async () => {
  const { index, folder } = await openIndex();
  await index.putObjects([objectOf(1, [copyOn("hot")]), objectOf(2)], start);
  const tables: TableFiles[] = [];
  {
    await using session = await index.session();
    for (const table of await snapshotTables(session, defaultPartRows)) {
      const files = [];
      for (const { range, rows } of await tableParts(session, table)) {
        const path = join(folder, `${table.family}-${table.table}-${range}.parquet`);
        await session.exportParquet(partRows(table, range), path);
        // As if the manifest named another part of as many bytes.
        const claimed = table.family === "heat" && table.table === "objects" ? rows + 1 : rows;
        files.push({ range, rows: claimed, path });
      }
      tables.push({ ...table, files });
    }
  }
  const load = loadSnapshot(join(folder, "new.duckdb"), tables, {
    ...options,
    schema: schemaVersion,
  });
  await expect(load).rejects.toMatchObject({ code: "CORRUPT" });
});
