import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DecisionRequest } from "#model/approval.ts";
import type { EngineApi } from "#model/engine-api.ts";
import { sampleApproval } from "../api/sample-approval.ts";
import { sampleAction } from "../api/sample-values.ts";
import { CommandLine } from "./command-line.ts";
import { examplePlan, exampleRun } from "./examples.ts";

let line: CommandLine;
beforeEach(async () => {
  line = await CommandLine.open();
});
afterEach(() => line[Symbol.asyncDispose]());

function engine() {
  const decisions: DecisionRequest[] = [];
  const done = { ...sampleApproval, runId: "run-0", state: "rejected", reason: "no" } as const;
  const api: Partial<EngineApi> = {
    approvals: () => Promise.resolve([sampleApproval, done]),
    planActions: () => Promise.resolve([sampleAction]),
    backends: () => Promise.resolve([]),
    decideApproval: (request) => {
      decisions.push(request);
      return Promise.resolve(exampleRun("running"));
    },
  };
  return { api, decisions };
}

describe("approvals", () => {
  it("lists what waits and for whom; all with --all", async () => {
    const { api } = engine();
    const waiting = await line.run(["approvals"], { api });
    expect(waiting.stdout).toContain("policy cool (bytes > 1kB) from role approver, until 2026");
    expect(waiting.stdout).not.toContain("run-0");
    expect((await line.run(["approvals", "--all"], { api })).stdout).toContain("run-0");
  });

  it("approve shows the change, asks, and decides about exactly that", async () => {
    const { api, decisions } = engine();
    const words = ["approve", "run-1", "--reason", "agreed"];
    const outcome = await line.run(words, { api, isTerminal: true, input: "yes\n" });
    expect(outcome.code).toBe(0);
    expect(outcome.stderr).toContain(sampleAction.cid);
    const request = { plan: "run-1", reason: "agreed", expectDigest: "bafkreirows" };
    expect(decisions).toEqual([{ ...request, verdict: "approve" }]);
    const no = await line.run(words, { api, isTerminal: true, input: "no\n" });
    expect([no.code, decisions.length]).toEqual([7, 1]);
    await line.run(["reject", "bafyplan", "--reason", "agreed", "--yes"], { api });
    expect(decisions[1]).toEqual({ ...request, verdict: "reject" });
  });

  it("what does not wait cannot be decided, and a decision needs a reason", async () => {
    const { api, decisions } = engine();
    const gone = await line.run(["approve", "run-0", "--reason", "x", "--yes"], { api });
    expect([gone.code, gone.stderr]).toEqual([
      1,
      expect.stringContaining("that of run-0 is rejected"),
    ]);
    expect((await line.run(["approve", "run-1", "--yes"], { api })).code).toBe(64);
    expect(decisions).toEqual([]);
  });
});

describe("apply of a plan that needs approval", () => {
  it("says so before and after, and ends with 7 where nobody could approve meanwhile", async () => {
    const plan = examplePlan({ approvals: sampleApproval.terms });
    const api: Partial<EngineApi> = {
      plan: () => Promise.resolve({ plan, elapsedMs: 1, sample: [] }),
      apply: () => Promise.resolve(exampleRun("awaiting-approval")),
    };
    const outcome = await line.run(["apply", "--yes"], { api });
    expect(outcome.code).toBe(7);
    expect(outcome.stderr).toContain("needs approval: policy cool (bytes > 1kB)");
    expect(outcome.stderr).toContain("thermocline approve r1 --reason");
  });
});
