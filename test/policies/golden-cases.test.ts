import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AttributeRegistry, loadAttributes } from "#policies/attribute-registry.ts";
import { compilePolicies } from "#policies/compile-policies.ts";
import type { CompiledRule } from "#policies/compiled-policy.ts";
import { parsePolicies } from "#policies/parse-policies.ts";
import { sql, type SqlFragment, toStatement } from "#policies/sql-fragment.ts";
import { demoMoment } from "./demo-backends.ts";
import { insertObjects, sampleObjects } from "./expression/random-objects.ts";
import { type MemoryIndex, openMemoryIndex } from "./memory-index.ts";

const folder = fileURLToPath(new URL("./cases/", import.meta.url));
let index: MemoryIndex;
let registry: AttributeRegistry;

beforeAll(async () => {
  registry = await loadAttributes();
  index = await openMemoryIndex();
  await insertObjects(index, sampleObjects(40));
});
afterAll(() => index[Symbol.dispose]());

test.for(readdirSync(folder))(
  "the case %s compiles to the SQL on file, which runs",
  async (name) => {
    const text = readFileSync(`${folder}${name}/policy.yaml`, "utf8");
    const { policies, diagnostics } = parsePolicies([{ file: "policy.yaml", text }], { registry });
    expect(diagnostics).toEqual([]);
    const { set } = compilePolicies(policies, demoMoment);
    expect(set.rules.length).toBeGreaterThan(0);
    const sections = await Promise.all(set.rules.map(describeRule));
    await expect(sections.join("\n")).toMatchFileSnapshot(`${folder}${name}/compiled.sql`);
  },
);

/** The rule as SQL with its parameters, and which of the sample objects it selects in order. */
async function describeRule({ id, verb, where, whereByName, order, limit }: CompiledRule) {
  const keys = order.map(({ key, descending }) => (descending ? sql`${key} desc` : key));
  const orderBy = [...keys, sql`o.object_id`].reduce((left, right) => sql`${left}, ${right}`);
  const query = sql`select o.object_id from object o where ${where} order by ${orderBy}`;
  const ids = (await index.rows(toStatement(query))).map(([objectId]) => Number(objectId));
  const verbText = JSON.stringify(verb, (_, value: unknown) =>
    typeof value === "bigint" ? `0b${value.toString(2)}` : value,
  );
  const byName = whereByName === undefined ? [] : ["-- by name", render(whereByName)];
  return [
    `-- ${id}: ${verbText} limit ${JSON.stringify(limit)}`,
    render(query),
    ...byName,
    `-- selects ${ids.join(" ") || "nothing"}`,
    "",
  ].join("\n");
}

function render(fragment: SqlFragment): string {
  const { text, parameters } = toStatement(fragment);
  const values = parameters.map((value, position) => `$${position + 1} = ${String(value)}`);
  return [`${text};`, `-- ${values.join(", ") || "no parameters"}`].join("\n");
}
