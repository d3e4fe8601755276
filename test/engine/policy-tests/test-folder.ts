import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { runPolicyTests } from "#engine/policy-tests/run-policy-tests.ts";
import type { PolicyTestReport } from "#model/policy-test-report.ts";

/** Runs the tests among these files, in a folder of their own that is gone afterwards. */
export async function runFiles(files: Readonly<Record<string, string>>): Promise<PolicyTestReport> {
  const folder = await mkdtemp(join(tmpdir(), "policy-tests-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return await runPolicyTests(["."], folder);
}

/** A policy with these rules. */
export function policyText(rules: string, more = ""): string {
  return `apiVersion: thermocline/v1
kind: Policy
metadata: {name: p}
${more}rules:
${rules}`;
}

/** A test document of the policy in `p.thermocline.yaml`, with three backends. */
export function testText(tests: string, more = ""): string {
  return `apiVersion: thermocline/v1
kind: PolicyTest
metadata: {name: t}
policies: [p.thermocline.yaml]
backends:
  - {name: hot, tier: hot, region: eu-1}
  - {name: warm, tier: warm, region: eu-2}
  - {name: cold, tier: cold, region: eu-3, capacity: 100GiB}
${more}tests:
${tests}`;
}

/** Runs tests of one policy. */
export async function runTests(rules: string, tests: string, more = ""): Promise<PolicyTestReport> {
  return await runFiles({
    "p.thermocline.yaml": policyText(rules),
    "t.thermocline-test.yaml": testText(tests, more),
  });
}

/** Kind and message of every failure, by the name of its case. */
export function failuresOf({
  cases,
}: PolicyTestReport): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    cases
      .filter(({ failures }) => failures.length > 0)
      .map(({ name, failures }) => [name, failures.map(({ message }) => message)]),
  );
}
