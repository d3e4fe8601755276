import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { CID } from "multiformats/cid";
import { base16 } from "multiformats/bases/base16";
import { base32 } from "multiformats/bases/base32";
import { beforeEach, expect, test } from "vitest";
import { exportObjects, listObjects, type ObjectSource } from "#engine/objects.ts";
import type { ObjectsRequest, ObjectSummary } from "#model/engine-api.ts";
import { cidOf, copyOn, objectOf, openIndex, start } from "../index/open-index.ts";
import { indexSource } from "./index-source.ts";

const names = ["hot", "cold"];
let source: ObjectSource;
let folder: string;

beforeEach(async () => {
  const opened = await openIndex(names);
  ({ folder } = opened);
  const given = [
    objectOf(0, [copyOn("hot")], { size: 30, owner: "ana" }),
    objectOf(1, [copyOn("hot"), copyOn("cold", "listed")], { size: 10, names: ["/z", "/a"] }),
    objectOf(2, [], { size: 20, owner: "ben" }),
    objectOf(3, [copyOn("cold")], { size: 10, owner: "=ana()" }),
  ];
  await opened.index.putObjects(given, start);
  source = await indexSource(opened.index, start);
});

async function list(request: ObjectsRequest): Promise<readonly ObjectSummary[]> {
  return (await Array.fromAsync(listObjects(source, request))).flat();
}

async function order(request: ObjectsRequest): Promise<readonly number[]> {
  return (await list(request)).map(({ objectId }) => objectId);
}

/** What a file of the first two objects has in it. */
async function written(name: string): Promise<string> {
  const file = join(folder, name);
  await exportObjects(source, { limit: 2, file });
  return await readFile(file, "utf8");
}

test("objects come in order of arrival, whole, with where their copies are", async () => {
  const objects = await list({});
  expect(objects.map(({ cid }) => cid)).toEqual([0, 1, 2, 3].map(cidOf));
  expect(objects.map(({ backends }) => backends)).toEqual([["hot"], names, [], ["cold"]]);
  expect(objects.map(({ verified }) => verified)).toEqual([1, 1, 0, 1]);
});

test("a sort has keys as rules have: any expression, both ways, nothing last", async () => {
  expect(await order({ sort: "size desc" })).toEqual([0, 2, 1, 3]);
  expect(await order({ sort: "size, owner desc" })).toEqual([3, 1, 2, 0]);
  expect(await order({ sort: "owner desc" })).toEqual([2, 0, 3, 1]);
  expect(await order({ sort: "owner asc" })).toEqual([3, 0, 2, 1]);
  expect(await order({ sort: 'copies(backend in ["hot", "cold"]) desc, size' })).toEqual([
    1, 3, 0, 2,
  ]);
  expect(await order({ where: "size <= 20B", sort: "size desc", limit: 2 })).toEqual([2, 1]);
});

test("a sort that cannot be read is refused with a caret", async () => {
  for (const sort of ["sise", "tags", "size,", "size desc desc", "1; drop table objects", ""]) {
    await expect(list({ sort })).rejects.toMatchObject({ code: "USAGE" });
  }
  await expect(list({ sort: "heat desc, tags" })).rejects.toThrow(/gives no order.*\n {2}tags\n/);
});

test("a list that is read range by range has the same objects as one in one go, and ends at its limit", async () => {
  const many = Array.from({ length: 12_000 }, (_, number) =>
    objectOf(number + 10, [], { size: number % 7 === 0 ? 7 : 1, names: [] }),
  );
  await source.index.putObjects(many, start);
  const all = Array.from({ length: 12_004 }, (_, number) => number);
  expect(await order({})).toEqual(all);
  expect(await order({ limit: 11_000 })).toEqual(all.slice(0, 11_000));
  expect(await order({ limit: 3 })).toEqual([0, 1, 2]);
  const sevens = await order({ where: "size = 7B" });
  expect(sevens).toHaveLength(1_715);
  expect(await order({ where: "size = 7B", sort: "size" })).toEqual(sevens);
  expect(await order({ where: "size = 7B", limit: 1_700 })).toEqual(sevens.slice(0, 1_700));
  // Ranks look at all objects: such a list is read in one go.
  const ranked = "size = 7B and heat_rank <= 2000";
  expect(await order({ where: ranked })).toEqual(await order({ where: ranked, sort: "size" }));
}, 180_000);

test("a list of many objects arrives in pieces while it is read", async () => {
  const many = Array.from({ length: 6_000 }, (_, number) => objectOf(number + 10));
  await source.index.putObjects(many, start);
  const sizes: number[] = [];
  for await (const piece of listObjects(source, { sort: "size desc" })) {
    sizes.push(piece.length);
    if (sizes.length === 2) break;
  }
  expect(sizes.length).toBe(2);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(2_048);
  expect((await list({})).length).toBe(6_004);
}, 180_000);

test("a file has the same objects in the same order, readable elsewhere", async () => {
  const file = join(folder, "new", "objects.parquet");
  const request = { where: "size < 30B", sort: "size desc" };
  expect(await exportObjects(source, { ...request, file })).toMatchObject({ file, rows: 3 });
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  const reader = await connection.runAndReadAll(
    `SELECT object_id::INTEGER AS object_id, cid, owner, backends, verified::INTEGER AS verified
     FROM '${file}'`,
  );
  const rows = reader.getRowObjectsJson();
  connection.closeSync();
  instance.closeSync();
  const listed = await list(request);
  expect(
    rows.map((row) => ({ ...row, cid: CID.parse(row["cid"] as string, base16).toString(base32) })),
  ).toEqual(
    listed.map(({ objectId, cid, owner, backends, verified }) => ({
      object_id: objectId,
      cid,
      owner: owner ?? null,
      backends: backends.join(" "),
      verified,
    })),
  );
});

test("a file may be CSV, lines of JSON, or one JSON array", async () => {
  const csv = (await written("a.csv")).trimEnd().split("\n");
  expect(csv[0]).toMatch(/^object_id,cid,size,path,.*,backends,verified,held$/);
  expect(csv).toHaveLength(3);
  const lines = (await written("a.ndjson")).trimEnd().split("\n");
  const parsed = lines.map((line) => JSON.parse(line) as unknown);
  expect(parsed).toMatchObject([{ object_id: 0 }, { object_id: 1 }]);
  expect(JSON.parse(await written("a.json"))).toEqual(parsed);
  await expect(written("a.xlsx")).rejects.toMatchObject({ code: "USAGE" });
});
