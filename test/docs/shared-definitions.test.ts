import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readPolicySources } from "#config/policy-sources.ts";
import { runPolicyTests } from "#engine/policy-tests/run-policy-tests.ts";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { compilePolicies } from "#policies/compile-policies.ts";
import { parsePolicies } from "#policies/parse-policies.ts";
import { demoMoment } from "../policies/demo-backends.ts";
import { codeBlocks } from "./code-blocks.ts";

test("the files of the page are without any finding, and their test passes", async () => {
  const page = await readFile(new URL("../../docs/shared-definitions.md", import.meta.url), "utf8");
  const folder = await mkdtemp(join(tmpdir(), "shared-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const { file = "", text } of codeBlocks(page)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
  const sources = await readPolicySources(["policies"], folder);
  expect(sources.map(({ file }) => file)).toEqual([
    "policies/films.thermocline.yaml",
    "shared/quarter.thermocline-calendar.yaml",
    "shared/words.thermocline.yaml",
  ]);
  const { policies, diagnostics } = parsePolicies(sources, { registry: await loadAttributes() });
  expect([...diagnostics, ...compilePolicies(policies, demoMoment).diagnostics]).toEqual([]);
  const report = await runPolicyTests(["tests"], folder);
  expect(report.diagnostics).toEqual([]);
  expect(report.cases.map(({ failures }) => failures)).toEqual([[], []]);
});
