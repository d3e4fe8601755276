import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { expect, test } from "vitest";
import { Connection } from "#index/connection.ts";
import { migrate } from "#index/migrate.ts";
import { ObjectIndex } from "#index/object-index.ts";
import { indexesOf } from "./indexes-of.ts";
import { cidOf, objectOf, openIndex, start, temporaryFolder } from "./open-index.ts";

test("no table has an index that would have to fit into memory", async () => {
  const { index, path } = await openIndex();
  await index.putObjects([objectOf(1)], start);
  await index.close();
  expect(await indexesOf(path)).toEqual([]);
});

test("an older file loses its index of digest keys, and finds each object as before", async () => {
  const path = join(await temporaryFolder(), "index.duckdb");
  const instance = await DuckDBInstance.create(path);
  const connection = new Connection(await instance.connect());
  await migrate(connection, start, 22);
  await connection.run("CREATE INDEX objects_by_cid ON objects (cid_key)");
  connection.close();
  instance.closeSync();
  expect(await indexesOf(path)).toEqual(["objects_by_cid"]);

  const index = await ObjectIndex.open(path, { threads: 1, now: () => start });
  await index.putObjects([objectOf(1), objectOf(2)], start);
  await index.putObjects([objectOf(1)], start);
  expect(await index.findObject(cidOf(2))).toBe(1);
  expect(await index.checkSummaries()).toEqual([]);
  await index.close();
  expect(await indexesOf(path)).toEqual([]);
});
