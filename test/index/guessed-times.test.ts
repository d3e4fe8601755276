import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Connection } from "#index/connection.ts";
import { DuckDBInstance } from "#index/duckdb.ts";
import { migrate } from "#index/migrate.ts";
import { ObjectIndex } from "#index/object-index.ts";
import { start, temporaryFolder } from "./open-index.ts";

const dayMs = 86_400_000;
const day = (number: number) => new Date(start.getTime() + number * dayMs);

/** Objects as an index of schema 20 has them: what each is, and the day on which it came. */
const objects = [
  { path: "/handed-in", came: 20, named: 20, guessed: null },
  { path: null, came: 20, named: null, guessed: null },
  { path: "/row-without-times", came: 20, named: null, guessed: "created" },
  { path: "/row-with-times", came: 20, named: null, created: 2, guessed: null },
  { path: "/row-with-modified", came: 20, named: 3, guessed: null },
  { path: "/before-20-and-import", came: 5, named: null, guessed: "created" },
  { path: "/dated-before-20", came: 5, named: null, created: 2, guessed: null },
] as const;

test("what manifests without times told an index of schema 20 is marked as guessed", async () => {
  expect(await migrated(7)).toEqual(objects.map(({ guessed }) => guessed));
});

test("an index into which no manifest was imported before schema 20 keeps its times of before", async () => {
  const before = objects.map(({ came, guessed }) => (came === 5 ? null : guessed));
  expect(await migrated(undefined)).toEqual(before);
});

/** Opens an index of schema 20 that got it on day 10, and says what is guessed of each object. */
async function migrated(importOn: number | undefined): Promise<readonly unknown[]> {
  const path = join(await temporaryFolder(), "index.duckdb");
  const instance = await DuckDBInstance.create(path);
  const connection = new Connection(await instance.connect());
  await migrate(connection, day(10), 20);
  const at = (on: number | null) => (on === null ? "NULL" : `TIMESTAMP '${day(on).toISOString()}'`);
  for (const [id, { path: name, came, named, ...rest }] of objects.entries()) {
    const created = "created" in rest ? rest.created : came;
    await connection.run(
      `INSERT INTO objects BY NAME SELECT ${id} AS object_id, ${id} AS cid_key,
         unhex('01551220' || sha256('${id}')) AS cid, 5 AS size, 'raw-sha256' AS profile,
         ${name === null ? "NULL" : `'${name}'`} AS path, ${name === null ? 0 : 1} AS names,
         ${at(created)} AS created, ${at(came)} AS ingested, ${at(named)} AS named, 0 AS reads,
         0.0 AS heat_weight, 0 AS present_mask, 0 AS listed_mask, 0 AS sampled_mask,
         0 AS verified_mask, 0 AS in_flight_mask, false AS held`,
    );
  }
  if (importOn !== undefined) {
    await connection.run(
      `INSERT INTO ledger_entries BY NAME SELECT 0 AS entry_id, ${at(importOn)} AS recorded,
         'import' AS kind, 'manifest' AS reason`,
    );
  }
  await connection.run("CHECKPOINT");
  connection.close();
  instance.closeSync();
  const index = await ObjectIndex.open(path, { threads: 1, now: () => day(40) });
  onTestFinished(() => index.close());
  await using session = await index.session();
  const found = await session.rows({
    text: "SELECT guessed FROM object ORDER BY object_id",
    parameters: [],
  });
  return found.map(({ guessed }) => guessed);
}
