import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { takeSnapshot } from "#engine/snapshots/take-snapshot.ts";
import { filledIndex, readObjects, start } from "./filled-index.ts";

const run = promisify(execFile);

/** A program that knows nothing of us: it opens folders of Parquet files. */
const reader = `
  import { DuckDBInstance } from "@duckdb/node-api";
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  const answer = await connection.runAndReadAll(process.argv[1]);
  console.log(JSON.stringify(answer.getRowObjectsJson()));
`;

async function ask(sql: string): Promise<unknown> {
  const args = ["--input-type=module", "-e", reader, sql];
  const { stdout } = await run(process.execPath, args);
  return JSON.parse(stdout);
}

test("the folder of a snapshot opens as tables in any reader of Parquet", async () => {
  const { index, store } = await filledIndex(250);
  const first = await takeSnapshot(index, store, { now: start, partRows: 100 });
  await readObjects(index, "later", [7]);
  await takeSnapshot(index, store, { now: new Date(start.getTime() + 1_000), partRows: 100 });
  const folder = store.path(first.cid);
  expect((await readdir(folder)).toSorted()).toEqual([
    "copies",
    "heat",
    "identity",
    "ledger",
    "manifest.cbor",
    "state",
  ]);
  const files = (table: string) =>
    `read_parquet('${join(folder, table)}/*/*.parquet', hive_partitioning = true)`;
  expect(
    await ask(`SELECT range, count(*)::INTEGER AS objects, sum(size)::INTEGER AS bytes
               FROM ${files("identity/objects")} GROUP BY range ORDER BY range`),
  ).toEqual([
    { range: "0", objects: 100, bytes: sizes(0, 100) },
    { range: "1", objects: 100, bytes: sizes(100, 200) },
    { range: "2", objects: 50, bytes: sizes(200, 250) },
  ]);
  expect(
    await ask(`SELECT backend_id, confidence::VARCHAR AS confidence, count(*)::INTEGER AS copies
               FROM ${files("identity/objects")} JOIN ${files("copies/copies")} USING (object_id)
               GROUP BY ALL ORDER BY ALL`),
  ).toEqual([
    { backend_id: 0, confidence: "verified", copies: 250 },
    { backend_id: 2, confidence: "listed", copies: 250 },
  ]);
  // As of that snapshot: what was read later is not in it.
  expect(
    await ask(`SELECT object_id::INTEGER AS object FROM ${files("heat/objects")}
               WHERE reads > 0 ORDER BY 1`),
  ).toEqual([{ object: 1 }, { object: 2 }, { object: 3 }]);
});

function sizes(from: number, to: number): number {
  let bytes = 0;
  for (let number = from; number < to; number += 1) bytes += 1_000 + number;
  return bytes;
}
