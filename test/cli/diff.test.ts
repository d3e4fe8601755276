import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { EngineApi } from "#model/engine-api.ts";
import type { PlanDiffRequest } from "#model/plan-diff.ts";
import { samplePlanDiff } from "../api/sample-approval.ts";
import { CommandLine } from "./command-line.ts";

let line: CommandLine;
beforeEach(async () => {
  line = await CommandLine.open();
});
afterEach(() => line[Symbol.asyncDispose]());

it("diff shows rules, counts and samples; with --detailed-exitcode differences are exit 2", async () => {
  const asked: PlanDiffRequest[] = [];
  let answer = samplePlanDiff;
  const api: Partial<EngineApi> = {
    diffPlans: (request) => {
      asked.push(request);
      return Promise.resolve(answer);
    },
  };
  const words = ["diff", "--policies", "/old", "/new", "--samples", "1"];
  const plain = await line.run(words, { api });
  expect(plain.code).toBe(0);
  expect(plain.stdout).toMatch(/cool\/down +changed +1 +10 B/);
  expect(plain.stdout).toContain("objects: 0 gained, 0 lost, 1 changed, 1 the same");
  expect(plain.stdout).toContain("/photos/one.jpg bafkreiobject (10 B): ");
  expect(plain.stdout).toContain("demote to cold from hot → demote to ice from hot");
  expect(asked).toEqual([{ from: { policies: ["/old"] }, to: { policies: ["/new"] }, samples: 1 }]);
  expect((await line.run([...words, "--detailed-exitcode"], { api })).code).toBe(2);
  answer = { ...samplePlanDiff, rules: [] };
  const same = await line.run(["diff", "/a.plan.json", "/b", "--detailed-exitcode"], { api });
  expect([same.code, same.stdout]).toEqual([0, expect.stringContaining("they do the same")]);
  expect(asked.at(-1)?.from).toEqual({ planFile: join("/", "a.plan.json") });
});
