import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { runPolicyTests } from "#engine/policy-tests/run-policy-tests.ts";
import { parseSize } from "#model/quantity.ts";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { compilePolicies } from "#policies/compile-policies.ts";
import { parsePolicies } from "#policies/parse-policies.ts";
import { demoMoment, testBackend } from "../policies/demo-backends.ts";
import { codeBlocks } from "./code-blocks.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folders = ["examples/recipes", "examples/migrate"];
const recipes = (
  await Promise.all(
    folders.map(async (folder) =>
      (await readdir(join(root, folder))).map((name) => `${folder}/${name}`),
    ),
  )
).flat();
const policyOf = (recipe: string) => `${recipe}/policy.thermocline.yaml`;
const textOf = async (file: string) => await readFile(join(root, file), "utf8");

/** What a test document supposes of backends, as far as policies are compiled against it. */
interface SupposedBackend {
  readonly name: string;
  readonly tier: "cache" | "hot" | "warm" | "cold" | "archive";
  readonly region?: string;
  readonly driver?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly capacity?: string;
}

async function backendsOf(recipe: string) {
  const document = parse(await textOf(`${recipe}/policy.thermocline-test.yaml`)) as {
    readonly backends: readonly SupposedBackend[];
  };
  return document.backends.map(({ capacity, region, ...facts }, id) =>
    testBackend({
      ...facts,
      id,
      region,
      capacityBytes: capacity === undefined ? undefined : parseSize(capacity),
    }),
  );
}

test("every recipe and every translated policy is sound for the backends of its test", async () => {
  const registry = await loadAttributes();
  const found: string[] = [];
  for (const recipe of recipes) {
    const file = policyOf(recipe);
    const { policies, diagnostics } = parsePolicies([{ file, text: await textOf(file) }], {
      registry,
    });
    const moment = { ...demoMoment, backends: await backendsOf(recipe) };
    const findings = [...diagnostics, ...compilePolicies(policies, moment).diagnostics];
    found.push(...findings.map(({ code, message }) => `${recipe}: ${code} ${message}`));
  }
  expect(found).toEqual([]);
});

test.for(recipes)(
  "%s does what its test says to what it selects, and leaves the rest",
  async (recipe) => {
    const { diagnostics, cases } = await runPolicyTests([recipe], root);
    expect(diagnostics).toEqual([]);
    expect(
      cases.flatMap(({ suite, name, failures }) => failures.map(({ kind }) => [suite, name, kind])),
    ).toEqual([]);
    expect(new Set(cases.map(({ suite }) => suite))).toEqual(new Set([recipe.split("/").at(-1)]));
    expect(cases.length).toBeGreaterThan(1);
  },
);

test("the pages show the tested policies, each of them once", async () => {
  const migrations = (await readdir(join(root, "docs/migrate"))).map(
    (name) => `docs/migrate/${name}`,
  );
  const shown: string[] = [];
  for (const page of ["docs/recipes.md", ...migrations]) {
    const blocks = codeBlocks(await textOf(page)).filter(({ language }) => language === "yaml");
    for (const { file = "", text } of blocks) {
      const [modeline = "", ...lines] = (await textOf(file)).split("\n");
      expect(modeline).toMatch(/^# yaml-language-server: /);
      expect({ file, text }).toEqual({ file, text: lines.join("\n") });
      shown.push(file);
    }
  }
  expect(shown.toSorted()).toEqual(recipes.map(policyOf).toSorted());
});
