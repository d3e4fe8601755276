import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Ajv } from "ajv";
import { expect, test } from "vitest";
import { parse } from "yaml";
import type { DocumentSource } from "#document/document-source.ts";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { compilePolicies } from "#policies/compile-policies.ts";
import { parsePolicies } from "#policies/parse-policies.ts";
import { policyJsonSchema } from "#policies/policy-json-schema.ts";
import { toStatement } from "#policies/sql-fragment.ts";
import { demoMoment } from "./demo-backends.ts";
import { openMemoryIndex } from "./memory-index.ts";

async function readExamples(): Promise<readonly DocumentSource[]> {
  const folder = fileURLToPath(new URL("../../examples/policies/", import.meta.url));
  const files = (await readdir(folder)).filter((file) => file.endsWith(".thermocline.yaml"));
  return Promise.all(
    files.map(async (file) => ({ file, text: await readFile(`${folder}${file}`, "utf8") })),
  );
}

test("the example policies compile for the inventory of the demo without any finding", async () => {
  const parsed = parsePolicies(await readExamples(), { registry: await loadAttributes() });
  expect(parsed.diagnostics).toEqual([]);
  const { set, diagnostics } = compilePolicies(parsed.policies, demoMoment);
  expect(diagnostics).toEqual([]);
  expect(set.rules.map(({ id }) => id)).toEqual([
    "protect/legal-hold",
    "protect/licences",
    "durable/two-regions",
    "cool-down/cool",
    "cool-down/warm-up",
    "drop-scratch/drop",
  ]);
});

test("the SQL of every rule of the examples runs over the views of the index", async () => {
  using index = await openMemoryIndex();
  const { policies } = parsePolicies(await readExamples(), { registry: await loadAttributes() });
  const { set } = compilePolicies(policies, demoMoment);
  for (const rule of set.rules) {
    for (const fragment of [rule.where, ...rule.order.map(({ key }) => key)]) {
      const { text, parameters } = toStatement(fragment);
      const query = `select ${text} from object o`;
      expect(await index.rows({ text: query, parameters })).toEqual([]);
    }
  }
});

test("editors get a JSON Schema that accepts the examples and refuses what the engine refuses", async () => {
  const validate = new Ajv({ strict: false }).compile(policyJsonSchema());
  for (const { file, text } of await readExamples()) {
    expect({ file, valid: validate(parse(text)), errors: validate.errors }).toEqual({
      file,
      valid: true,
      errors: null,
    });
  }
  expect(validate(policy({ hold: true }))).toBe(true);
  expect(validate(policy({}))).toBe(false);
  expect(validate(policy({ hold: true, delete: {} }))).toBe(false);
  expect(validate(policy({ hold: true, actoin: 1 }))).toBe(false);
});

/** A policy with one rule that has these keys besides its name and condition. */
function policy(rule: object): object {
  return {
    apiVersion: "thermocline/v1",
    kind: "Policy",
    metadata: { name: "p" },
    rules: [{ name: "r", where: "true", ...rule }],
  };
}
