import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { expect, onTestFinished, test } from "vitest";
import { Connection } from "#index/connection.ts";
import { mergeRuns, readRuns, writeRun } from "#index/inventories/merge-runs.ts";
import { temporaryFolder } from "./open-index.ts";

test.each([
  { runs: 30, pieceRows: 10, remain: 5 },
  // A piece has so many rows that a group of each run beside them is little.
  { runs: 30, pieceRows: 100_000, remain: 30 },
  { runs: 4, pieceRows: 1, remain: 4 },
])("of $runs runs that are read by $pieceRows rows remain $remain", async (sizes) => {
  const { connection, folder } = await open();
  const runs = await write(connection, folder, sizes.runs);
  const rows = await valuesOf(connection, runs);

  const options = { by: "value", folder: join(folder, "merged"), pieceRows: sizes.pieceRows };
  const merged = await ended(mergeRuns(connection, runs, options));

  expect(merged).toHaveLength(sizes.remain);
  for (const run of merged) {
    const values = await valuesOf(connection, [run]);
    expect(values).toEqual(values.toSorted((a, b) => a - b));
  }
  const after = await valuesOf(connection, merged);
  expect(after.toSorted((a, b) => a - b)).toEqual(rows.toSorted((a, b) => a - b));
  // Those that were given are still there: whoever is cut off begins with them again.
  expect(await valuesOf(connection, runs)).toEqual(rows);
});

async function open(): Promise<{ connection: Connection; folder: string }> {
  const folder = await temporaryFolder();
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = new Connection(await instance.connect());
  onTestFinished(() => {
    connection.close();
    instance.closeSync();
  });
  return { connection, folder };
}

/** Each with a hundred rows from everywhere between 0 and 9,999. */
async function write(
  connection: Connection,
  folder: string,
  count: number,
): Promise<readonly string[]> {
  const paths = Array.from({ length: count }, (_, run) => join(folder, `it's ${run}.parquet`));
  for (const [run, path] of paths.entries()) {
    const rows = `(SELECT (range * 7919 + ${run} * 104729) % 10000 AS value FROM range(100))`;
    await writeRun(connection, rows, { by: "value", path });
  }
  return paths;
}

async function valuesOf(
  connection: Connection,
  runs: readonly string[],
): Promise<readonly number[]> {
  const rows = await connection.rows<{ value: number }>(
    `SELECT value::INTEGER AS value FROM ${readRuns(runs)}`,
  );
  return rows.map(({ value }) => value);
}

async function ended<Result>(steps: AsyncGenerator<void, Result>): Promise<Result> {
  for (;;) {
    const step = await steps.next();
    if (step.done === true) return step.value;
  }
}
