import { expect, test } from "vitest";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { compilePolicies } from "#policies/compile-policies.ts";
import { holdStatement } from "#policies/hold-statement.ts";
import { parsePolicies } from "#policies/parse-policies.ts";
import { demoMoment } from "./demo-backends.ts";
import { openMemoryIndex } from "./memory-index.ts";

test("of the objects asked for, those are held that a hold rule selects by any of their names", async () => {
  const text = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: keep}
rules:
  - {name: tagged, where: tags has "gold", hold: true}
  - {name: named, where: path like "/records/**", hold: true}
  - {name: other, where: size > 0, evict: {from: tier = hot}}
`;
  const registry = await loadAttributes();
  const { policies } = parsePolicies([{ file: "p.yaml", text }], { registry });
  const { set } = compilePolicies(policies, demoMoment);
  using index = await openMemoryIndex();
  await index.run(`insert into object (object_id, path, names, size) values
    (1, '/a', 1, 5), (2, '/records/b', 1, 5), (3, '/c', 2, 5), (4, null, 0, 5), (5, '/e', 1, 5)`);
  await index.run(`insert into name values
    (1, '/a'), (2, '/records/b'), (3, '/c'), (3, '/records/c'), (5, '/e')`);
  await index.run(`insert into tag values (4, 'gold'), (5, 'gold')`);
  const held = async (ids: readonly number[]): Promise<readonly number[]> =>
    (await index.rows(holdStatement(set, ids))).map(([id]) => Number(id)).toSorted((a, b) => a - b);
  expect(await held([1, 2, 3, 4])).toEqual([2, 3, 4]);
  expect(await held([1, 5])).toEqual([5]);
  expect(await held([])).toEqual([]);
  const { set: empty } = compilePolicies([], demoMoment);
  expect(await index.rows(holdStatement(empty, [1, 2]))).toEqual([]);
});
