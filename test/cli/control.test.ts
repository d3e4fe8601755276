import { afterEach, beforeEach, expect, it } from "vitest";
import type { RetryReport } from "#model/control.ts";
import type { EngineStatus } from "#model/engine-api.ts";
import type { HeldWork } from "#model/wait.ts";
import { sampleEngine } from "../api/sample-engine.ts";
import { sampleWhy } from "../api/sample-values.ts";
import { CommandLine } from "./command-line.ts";
import { emptyPlan, examplePlan, exampleRun } from "./examples.ts";

let line: CommandLine;
beforeEach(async () => {
  line = await CommandLine.open();
});
afterEach(() => line[Symbol.asyncDispose]());

const held: HeldWork = {
  work: {
    runId: "r1",
    policy: "cool",
    verb: "demote",
    source: "hot",
    target: "cold",
    victim: "hot",
    lane: "cold",
    node: undefined,
  },
  wait: {
    reason: "window",
    message: "policy cool may not act now",
    until: "2026-06-02T00:00:00.000Z",
    remedy: "change `windows:`",
  },
  since: "2026-05-31T23:59:00.000Z",
  batches: 7,
};

it("why prints each reason with its work, its end and the command that ends it", async () => {
  const { wait, work, since } = held;
  const waiting = [{ work, wait, since, batches: 7, actions: 7_000, bytes: 2 ** 30 }];
  const about = { about: "run", subject: "run r1 is running", actions: [], active: [] } as const;
  const report = { ...sampleWhy, ...about, waiting, facts: ["a fact"], looked: ["rules", "nodes"] };
  const { code, stdout } = await line.run(["why", "r1"], { api: { why: async () => report } });
  expect(code).toBe(0);
  expect(stdout).toBe(
    [
      "run r1 is running",
      "  7,000 actions, 1.00 GiB, on the lane cold wait: window: policy cool may not act now " +
        "(until 2026-06-02T00:00:00.000Z)",
      "    demote hot → cold for cool, since 1m ago",
      "    to end it: change `windows:`",
      "  a fact",
      "looked at: rules, nodes",
      "",
    ].join("\n"),
  );
  const json = await line.run(["why", "r1", "-o", "json"], { api: { why: async () => report } });
  expect(JSON.parse(json.stdout)).toMatchObject({
    schemaVersion: 1,
    waiting: [{ wait, actions: 7_000 }],
    looked: ["rules", "nodes"],
  });
});

it("status shows what waits, and why", async () => {
  const status: EngineStatus = { ...(await sampleEngine().status()), held: [held] };
  const { stdout } = await line.run(["status"], { api: { status: async () => status } });
  expect(stdout).toMatch(/^WAITING +BATCHES +LANES +SINCE +UNTIL +WHY$/m);
  expect(stdout).toMatch(/^window +7 +cold +1m ago +2026-06-02T00:00:00.000Z +policy cool may/m);
  const calm = { ...status, held: [] };
  expect((await line.run(["status"], { api: { status: async () => calm } })).stdout).not.toContain(
    "WAITING",
  );
});

it("a run that stands still says why while it is watched", async () => {
  const { wait, work, since } = held;
  const waiting = [{ work, wait, since, batches: 7, actions: 7, bytes: 1 }];
  let asked = 0;
  const { stderr } = await line.run(["apply", "--yes", "--progress", "plain"], {
    api: {
      plan: async () => ({ plan: examplePlan(), elapsedMs: 1, sample: [] }),
      apply: async () => exampleRun("running"),
      run: async () => {
        asked += 1;
        return exampleRun(asked < 100 ? "running" : "completed");
      },
      why: async () => ({ ...sampleWhy, about: "run", waiting }),
    },
  });
  expect(stderr).toContain("waiting: policy cool may not act now; to end it: change `windows:`");
});

function report(overrides: Partial<RetryReport> = {}): RetryReport {
  const failed = { actions: 12, bytes: 2 ** 20, underWay: 2 };
  return { failed, plan: examplePlan(), leftOut: [], run: undefined, ...overrides };
}

it("retry shows the count and the plan, and starts what was agreed to", async () => {
  const requests: unknown[] = [];
  const api = {
    retry: async (request: object) => {
      requests.push(request);
      return report("dryRun" in request ? {} : { run: exampleRun("completed") });
    },
  };
  const words = ["retry", "--cause", "TIMEOUT", "--where", "size > 1KiB"];
  const { code, stderr } = await line.run([...words, "--yes", "--no-wait"], { api });
  expect(stderr).toContain(
    "12 actions, 1.00 MiB, failed or cancelled; 2 are under way again, 1,500 are still wanted\n",
  );
  expect(code).toBe(0);
  const request = { cause: "TIMEOUT", where: "size > 1KiB" };
  expect(requests).toEqual([
    { ...request, dryRun: true },
    { ...request, expectCid: "bafyplan", at: "2026-06-01T00:00:00.000Z" },
  ]);
  requests.length = 0;
  const declined = await line.run(words, { api, isTerminal: true, input: "no\n" });
  expect([declined.code, requests.length]).toEqual([7, 1]);
  const blind = await line.run(words, { api });
  expect([blind.code, blind.stderr.includes("--yes")]).toEqual([64, true]);
});

it("retry of what nobody wants any more starts nothing, and says why", async () => {
  const leftOut = [
    { reason: "quarantined", actions: 9 },
    { reason: "no-rule", actions: 1 },
  ] as const;
  const api = { retry: async () => report({ plan: emptyPlan(), leftOut }) };
  const { code, stdout, stderr } = await line.run(["retry", "r1", "--yes"], { api });
  expect([code, stdout]).toEqual([0, "nothing was started\n"]);
  expect(stderr).toContain("  9 quarantined, having failed too often for one cause: thermocline");
  expect(stderr).toContain("  1 wanted by a rule that the policies no longer have\n");
});
