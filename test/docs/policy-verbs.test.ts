import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { configSchema } from "#config/config-schema.ts";
import { parseDocuments } from "#document/parse-documents.ts";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { compilePolicies } from "#policies/compile-policies.ts";
import { parsePolicies } from "#policies/parse-policies.ts";
import { demoMoment, testBackend } from "../policies/demo-backends.ts";
import { codeBlocks } from "./code-blocks.ts";

const page = await readFile(new URL("../../docs/policy-verbs.md", import.meta.url), "utf8");
const all = codeBlocks(page).filter(({ language }) => language === "yaml");
const blocks = all.filter(({ file }) => file === undefined);

/** Backends that make deals, although no driver does yet. */
const moment = {
  ...demoMoment,
  backends: [
    ...demoMoment.backends,
    testBackend({ id: 20, name: "deals-eu", tier: "archive", driver: "filecoin" }),
    testBackend({ id: 21, name: "deals-us", tier: "archive", driver: "filecoin" }),
  ],
};

test("every configuration of the page is one", () => {
  const configurations = all.flatMap(({ file, text }) =>
    file === undefined ? [] : [{ file, text }],
  );
  expect(configurations).toHaveLength(2);
  for (const source of configurations) {
    expect(parseDocuments(source, configSchema).diagnostics).toEqual([]);
  }
});

test("every policy of the page compiles without a finding", async () => {
  const registry = await loadAttributes();
  expect(blocks.length).toBeGreaterThan(0);
  for (const [at, { text }] of blocks.entries()) {
    const file = `block-${at + 1}.yaml`;
    const { policies, diagnostics } = parsePolicies([{ file, text }], { registry });
    const compiled = compilePolicies(policies, moment);
    const findings = [...diagnostics, ...compiled.diagnostics];
    expect(findings.map(({ message }) => `${file}: ${message}`)).toEqual([]);
  }
});
