import { afterEach, beforeEach, expect, test } from "vitest";
import type { AuditReport } from "#model/audit.ts";
import { CommandLine } from "./command-line.ts";

const sound: AuditReport = {
  runs: 1,
  actions: 2,
  outcomes: { done: 2, skipped: 0, failed: 0, cancelled: 0 },
  permits: 2,
  proofs: 2,
  settlements: 0,
  entries: 8,
  findings: [],
};

let line: CommandLine;
beforeEach(async () => {
  line = await CommandLine.open();
});
afterEach(() => line[Symbol.asyncDispose]());

test("audit check ends with 0 when nothing contradicts anything", async () => {
  const api = { checkAudit: () => Promise.resolve(sound) };
  const outcome = await line.run(["audit", "check"], { api });
  expect(outcome.code).toBe(0);
  expect(outcome.stdout).toContain("2 permits, 2 proofs, 0 settled by asking");
  expect(outcome.stdout).toContain("ok: nothing contradicts anything");
});

test("audit check names what it finds and ends with 1", async () => {
  const finding = {
    check: "removal-without-proof",
    count: 12,
    examples: ["run-1 action 3 on hot"],
  };
  const api = {
    checkAudit: () => Promise.resolve({ ...sound, findings: [finding] } as AuditReport),
  };
  const text = await line.run(["audit", "check"], { api });
  expect(text.code).toBe(1);
  expect(text.stdout).toContain("FAILED removal-without-proof: a copy was given up");
  expect(text.stdout).toContain("run-1 action 3 on hot");
  expect(text.stdout).toContain("… and 11 more");
  const json = await line.run(["audit", "check", "-o", "json"], { api });
  expect(json.code).toBe(1);
  expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, findings: [finding] });
});
