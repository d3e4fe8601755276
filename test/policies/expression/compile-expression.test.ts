import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Backend } from "#model/backend.ts";
import { type AttributeRegistry, loadAttributes } from "#policies/attribute-registry.ts";
import { compileFilter, type FilterContext } from "#policies/compile-filter.ts";
import { compilePolicies } from "#policies/compile-policies.ts";
import { parsePolicies } from "#policies/parse-policies.ts";
import { textAfter } from "#policies/expression/glob.ts";
import { sql, toStatement } from "#policies/sql-fragment.ts";
import { demoMoment, testBackend } from "../demo-backends.ts";
import { type MemoryIndex, openMemoryIndex } from "../memory-index.ts";
import { testPrices } from "./benefit-meanings.ts";
import { randomCondition } from "./random-expressions.ts";
import { insertObjects, objectsInService } from "./random-objects.ts";

const objects = objectsInService(80);
let index: MemoryIndex;
let context: FilterContext;
let registry: AttributeRegistry;

beforeAll(async () => {
  registry = await loadAttributes();
  const backends = [
    testBackend({ id: 0, name: "b0", tier: "hot", region: "eu", price: testPrices[0]! }),
    testBackend({
      id: 1,
      name: "b1",
      tier: "warm",
      region: "us",
      price: testPrices[1]!,
      ...full(300, "r1"),
    }),
    testBackend({ id: 2, name: "b2", tier: "cold", price: testPrices[2]!, ...full(900, "r2") }),
    testBackend({ id: 3, name: "b3", tier: "archive" }),
  ];
  context = { ...demoMoment, backends, registry };
  index = await openMemoryIndex();
  await insertObjects(index, objects);
});

afterAll(() => index[Symbol.dispose]());

/** A disk of one tebibyte with so many gibibytes on it, in a rack. */
function full(used: number, rack: string): Partial<Backend> {
  const [capacityBytes, usedBytes] = [2 ** 40, used * 2 ** 30];
  return { capacityBytes, usedBytes, freeBytes: capacityBytes - usedBytes, labels: { rack } };
}

/** What the `where` of a rule selects, in a policy with classes and variables. */
async function selectedByRule(where: string): Promise<readonly number[]> {
  const text = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: p}
vars:
  most: {type: size, default: 1MiB}
classes:
  small: size < 4KiB
  old: created < now - 30d
rules:
  - {name: r, where: ${JSON.stringify(where)}, hold: true}
`;
  const { policies, diagnostics } = parsePolicies([{ file: "p.yaml", text }], { registry });
  const { set, diagnostics: found } = compilePolicies(policies, context);
  const errors = [...diagnostics, ...found].filter(({ severity }) => severity === "error");
  expect(errors.map(({ message }) => message)).toEqual([]);
  const condition = set.rules[0]?.where ?? sql`false`;
  const query = sql`select o.object_id from object o where ${condition} order by 1`;
  return (await index.rows(toStatement(query))).map(([id]) => Number(id));
}

async function selected(where: string): Promise<readonly number[]> {
  const condition = compileFilter(where, context);
  const query = sql`select o.object_id from object o where ${condition} order by 1`;
  return (await index.rows(toStatement(query))).map(([id]) => Number(id));
}

test("compiled SQL selects exactly what an independent evaluator selects", async () => {
  await fc.assert(
    fc.asyncProperty(randomCondition, async ({ text, of }) => {
      const expected = objects.filter((object) => of(object) === true).map(({ id }) => id);
      expect({ text, ids: await selectedByRule(text) }).toEqual({ text, ids: expected });
    }),
    { numRuns: 600, seed: 20_260_601 },
  );
}, 120_000);

test("a condition and its negation never select the same object, and unknown selects in neither", async () => {
  const unknown = objects.filter((object) => object.owner === null).map(({ id }) => id);
  expect(unknown.length).toBeGreaterThan(0);
  const yes = await selected('owner = "a"');
  const no = await selected('not (owner = "a")');
  expect(yes.filter((id) => no.includes(id))).toEqual([]);
  expect([...yes, ...no, ...unknown].toSorted((a, b) => a - b)).toEqual(
    objects.map(({ id }) => id),
  );
  expect(await selected("missing(owner)")).toEqual(unknown);
});

test("what a person writes reaches the database as parameters only", async () => {
  const hostile = "x'; drop table object; --";
  const statement = toStatement(
    compileFilter(`owner = "${hostile}" or tags has "${hostile}"`, context),
  );
  expect(statement.text).not.toContain("drop");
  expect(statement.parameters).toEqual([hostile, hostile]);
  expect(await selected(`path like "/${hostile}/**"`)).toEqual([]);
});

test("the example of every word of the language compiles and runs", async () => {
  for (const { scope, example } of registry.values()) {
    const condition = scope === "backend" ? `copies(${example}) >= 0` : example;
    expect((await selected(condition)).length).toBeLessThanOrEqual(objects.length);
  }
});

test("absurd durations and divisions by zero compare instead of failing", async () => {
  const all = objects.map(({ id }) => id);
  expect(await selected("age < 1000000000y")).toEqual(all);
  expect(await selected("created + 1000000000y > now")).toEqual(all);
  expect(await selected("heat / 0 > 1 or not (heat / 0 > 1)")).toEqual([]);
  expect(await selected("size * 1000000000000000000 >= 0B")).toEqual(all);
});

test("an object with several names is listed when any of them fits", async () => {
  using names = await openMemoryIndex();
  await names.run(`insert into object (object_id, path, names) values (1, '/a', 2), (2, '/c', 1)`);
  await names.run(`insert into name values (1, '/a'), (1, '/b'), (2, '/c')`);
  const found = async (where: string): Promise<unknown> => {
    const condition = compileFilter(where, context);
    return names.rows(
      toStatement(sql`select o.object_id::INTEGER from object o where ${condition}`),
    );
  };
  expect(await found('path = "/b"')).toEqual([[1]]);
  expect(await found('name = "c"')).toEqual([[2]]);
});

test("a filter that means nothing is refused with the text, a caret and a remedy", () => {
  expect(() => compileFilter("heat > 1 and size > 3d", context)).toThrow(
    expect.objectContaining({
      code: "USAGE",
      message: [
        "bytes cannot be compared with a duration [E0204]",
        "  heat > 1 and size > 3d",
        "                      ^^",
      ].join("\n"),
      hint: "write a size: 64KiB, 10GiB",
    }),
  );
});

test("only columns as they stand are looked for as ranges, and what is computed only once", () => {
  for (const [name, isRange] of [
    ["path", true],
    ["type", true],
    ["owner", true],
    ["collection", true],
    ["name", false],
    ["meta.project", false],
    ["tags", false],
  ] as const) {
    const { text } = toStatement(compileFilter(`${name} like "p**"`, context));
    expect([name, text.includes(">=")]).toEqual([name, isRange]);
  }
});

test("what comes after all texts that begin with a prefix is the next one by code points", () => {
  expect(textAfter("/data/")).toBe("/data0");
  expect(textAfter("a\u{10ffff}")).toBe("b");
  expect(textAfter("a\ud7ff")).toBe("a\ue000");
  expect(textAfter("a\uffff")).toBe("a\u{10000}");
  expect(textAfter("")).toBeUndefined();
  expect(textAfter("\u{10ffff}")).toBeUndefined();
  expect(textAfter("a\ud800")).toBeUndefined();
});
