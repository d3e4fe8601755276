import { expect, test } from "vitest";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { compileFilter } from "#policies/compile-filter.ts";
import { compilePolicies } from "#policies/compile-policies.ts";
import { holdStatement } from "#policies/hold-statement.ts";
import { parsePolicies } from "#policies/parse-policies.ts";
import { sql, toStatement } from "#policies/sql-fragment.ts";
import { cidOf, copyOn, objectOf, openIndex, start } from "../index/open-index.ts";

const dayMs = 86_400_000;
const now = new Date(start.getTime() + 40 * dayMs);

/** Three objects: 1 is read and named twice, 2 is held and tagged, 3 is known by inventory only. */
async function openSmallIndex() {
  const { index } = await openIndex(["hot", "warm", "cold"], { now: () => now });
  const objects = [
    objectOf(1, [copyOn("hot"), copyOn("cold", "listed")], {
      names: ["/data/1.bin", "/records/one.txt"],
      owner: "ana",
      type: "text/plain",
    }),
    objectOf(2, [copyOn("hot")], { tags: ["gold"], collection: "books" }),
    objectOf(3, [copyOn("warm", "claimed")], { names: [] }),
  ];
  await index.putObjects(objects, start);
  const at = new Date(now.getTime() - 2 * dayMs);
  const reads = Array.from({ length: 8 }, () => ({ object: cidOf(1), at, weight: 1 }));
  await index.recordAccesses("b1", reads);
  const two = await index.findObject(cidOf(2));
  await index.hold([two], "legal", now);
  return index;
}

test("every condition reads the index as it really is", async () => {
  const index = await openSmallIndex();
  const ids = await Promise.all([1, 2, 3].map((number) => index.findObject(cidOf(number))));
  const registry = await loadAttributes();
  const context = { registry, now, heat: await index.heat(), backends: await index.backends() };
  await using session = await index.session();
  const selected = async (where: string): Promise<readonly number[]> => {
    const query = sql`select o.object_id from object o where ${compileFilter(where, context)}`;
    const rows = await session.rows(toStatement(query));
    return rows.map(({ object_id: id }) => ids.indexOf(Number(id)) + 1).toSorted((a, b) => a - b);
  };
  expect(await selected('path like "/records/**"')).toEqual([1]);
  expect(await selected('name = "1.bin" and owner = "ana"')).toEqual([1]);
  expect(await selected("missing(path)")).toEqual([3]);
  expect(await selected('tags has "gold" and held and collection = "books"')).toEqual([2]);
  expect(await selected("heat between 6 and 7 and accesses(7d) = 8")).toEqual([1]);
  expect(await selected("idle > 30d and age >= 40d and missing(accessed)")).toEqual([2, 3]);
  expect(await selected("copies(confidence >= verified) >= 1")).toEqual([1, 2]);
  expect(await selected('copies(backend = "cold", confidence = listed) = 1')).toEqual([1]);
  expect(await selected(`cid = ${cidOf(3)}`)).toEqual([3]);
  expect(await selected("size > 1001B and size <= 1003B")).toEqual([2, 3]);
  for (const { scope, example } of registry.values()) {
    const found = await selected(scope === "backend" ? `copies(${example}) >= 0` : example);
    expect(found.length).toBeLessThanOrEqual(3);
  }
});

test("the statement for permits finds what hold rules protect, by tag and by any name", async () => {
  const index = await openSmallIndex();
  const ids = await Promise.all([1, 2, 3].map((number) => index.findObject(cidOf(number))));
  const text = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: keep}
rules:
  - {name: gold, where: tags has "gold", hold: true}
  - {name: records, where: path like "/records/**", hold: true}
`;
  const registry = await loadAttributes();
  const { policies } = parsePolicies([{ file: "keep.yaml", text }], { registry });
  const moment = { now, heat: await index.heat(), backends: await index.backends() };
  const { set, diagnostics } = compilePolicies(policies, moment);
  expect(diagnostics).toEqual([]);
  await using session = await index.session();
  const rows = await session.rows(holdStatement(set, ids));
  expect(
    rows.map(({ object_id: id }) => ids.indexOf(Number(id)) + 1).toSorted((a, b) => a - b),
  ).toEqual([1, 2]);
});
