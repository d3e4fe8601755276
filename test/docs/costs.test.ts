import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { loadConfig } from "#config.ts";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { compilePolicies } from "#policies/compile-policies.ts";
import { parsePolicies } from "#policies/parse-policies.ts";
import { loadDrivers } from "#registry.ts";
import { demoMoment } from "../policies/demo-backends.ts";
import { codeBlocks } from "./code-blocks.ts";

async function yamlBlocks() {
  const page = await readFile(new URL("../../docs/costs.md", import.meta.url), "utf8");
  return codeBlocks(page).flatMap(({ language, text }) => (language === "yaml" ? [text] : []));
}

test("the price cards of the page are a valid configuration, per thousand as per request", async () => {
  const [cards = ""] = await yamlBlocks();
  const cwd = await mkdtemp(join(tmpdir(), "costs-page-"));
  onTestFinished(() => rm(cwd, { recursive: true, force: true }));
  await writeFile(join(cwd, "thermocline.yaml"), cards);
  const drivers = await loadDrivers();
  const { backends } = await loadConfig({ cwd, env: {}, hostname: "host", drivers });
  expect(backends.map(({ price }) => price)).toMatchObject([
    { perGibMonth: 0.023, perWrite: 0.000_005, egressPerGib: 0.09, retrievalPerGib: 0 },
    { perGibMonth: 0.004, perRead: 0.000_01, retrievalPerGib: 0.01, minimumBytes: 131_072 },
  ]);
});

test("the policies of the page bound costs and ask moves to pay, but for the rule it forces", async () => {
  const [, ...texts] = await yamlBlocks();
  const registry = await loadAttributes();
  const sources = texts.map((text, at) => ({ file: `policy-${at}.yaml`, text }));
  const { policies, diagnostics } = parsePolicies(sources, { registry });
  const { set } = compilePolicies(policies, demoMoment);
  expect(diagnostics).toEqual([]);
  expect(set.limits).toEqual({
    "cool-within-budget": { budget: { usd: 50, per: "month" } },
    "cool-down": { costUsd: 50 },
    "warm-what-pays": {},
  });
  expect(set.rules.map(({ id, horizonMs }) => [id, horizonMs])).toEqual([
    ["cool-down/cool", 365 * 86_400_000],
    ["cool-down/leave-the-old-disk", undefined],
    ["cool-within-budget/cool", undefined],
    ["warm-what-pays/warm", undefined],
    ["warm-what-pays/cool", undefined],
  ]);
});
