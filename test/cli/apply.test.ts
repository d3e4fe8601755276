import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ApplyRequest, EngineApi, PlanRequest } from "#model/engine-api.ts";
import { EngineError } from "#model/engine-error.ts";
import type { Run } from "#model/run.ts";
import { CommandLine } from "./command-line.ts";
import { emptyPlan, examplePlan, exampleRun } from "./examples.ts";

let line: CommandLine;
beforeEach(async () => {
  line = await CommandLine.open();
});
afterEach(() => line[Symbol.asyncDispose]());

/** An engine whose run goes through the given states, one per poll. */
function engine(states: readonly Run[], plan = examplePlan()) {
  const requests: ApplyRequest[] = [];
  let poll = 0;
  const api: Partial<EngineApi> = {
    plan: () => Promise.resolve({ plan, elapsedMs: 12, sample: [] }),
    apply: (request) => {
      requests.push(request);
      return Promise.resolve(states[0] ?? exampleRun("completed"));
    },
    run: () => {
      poll = Math.min(poll + 1, states.length - 1);
      return Promise.resolve(states[poll] ?? exampleRun("completed"));
    },
  };
  return { api, requests };
}

const completed = exampleRun("completed", {
  done: 1_000,
  remaining: 0,
  bytesDone: 1_000 * 2 ** 20,
});

describe("apply", () => {
  it("plans and applies within the limits it is given, and refuses them beside a saved plan", async () => {
    const { api, requests } = engine([completed]);
    const asked: PlanRequest[] = [];
    const plan: EngineApi["plan"] = (request) => {
      asked.push(request);
      return Promise.resolve({ plan: examplePlan(), elapsedMs: 1, sample: [] });
    };
    const limits = { objectsShare: 0.05, bytes: 5 * 2 ** 40 };
    const words = ["apply", "--yes", "--limit-objects", "5%", "--limit-bytes", "5TiB"];
    const { code } = await line.run(words, { api: { ...api, plan } });
    expect(code).toBe(0);
    expect(asked).toEqual([{ limits }]);
    expect(requests).toMatchObject([{ expectCid: "bafyplan", limits }]);
    const saved = await line.run([...words, "--plan", "a.plan.json"], { api });
    expect([saved.code, saved.stderr]).toEqual([64, expect.stringContaining("has its limits")]);
    const wrong = await line.run(["apply", "--limit-objects", "many"], { api });
    expect([wrong.code, wrong.stderr]).toEqual([64, expect.stringContaining("100k or 2M")]);
  });

  it("prints the plan, asks, and applies exactly the plan that was shown", async () => {
    const { api, requests } = engine([exampleRun("running"), completed]);
    const outcome = await line.run(["apply"], { api, isTerminal: true, input: "yes\n" });
    expect(outcome.code).toBe(0);
    expect(outcome.stderr).toContain("total: 1,500 actions on 1,400 objects, 3.00 GiB to copy");
    expect(outcome.stderr.indexOf("total:")).toBeLessThan(outcome.stderr.indexOf("apply?"));
    expect(requests).toEqual([{ expectCid: "bafyplan", at: "2026-06-01T00:00:00.000Z" }]);
    expect(outcome.stdout).toMatch(/state +completed, after 1m 30s/);
  });

  it("says where the reasons stand when actions were skipped", async () => {
    const ended = exampleRun("completed", { done: 998, skipped: 2, remaining: 0 });
    const { stdout } = await line.run(["apply", "--yes"], { api: engine([ended]).api });
    expect(stdout).toContain("998 done, 2 skipped");
    const how = `thermocline audit --run ${ended.id} --where 'outcome = "skipped"'`;
    expect(stdout).toContain(`  why skipped: ${how}\n`);
    const without = await line.run(["apply", "--yes"], { api: engine([completed]).api });
    expect(without.stdout).not.toContain("why skipped");
  });

  it.each(["no\n", "y\n", "", "yesterday\n"])(
    "applies nothing when the answer is %j",
    async (input) => {
      const { api, requests } = engine([completed]);
      const outcome = await line.run(["apply"], { api, isTerminal: true, input });
      expect(requests).toEqual([]);
      expect(outcome.code).toBe(7);
      expect(outcome.stderr).toContain("nothing was applied");
    },
  );

  it("never asks where nobody can answer: without a terminal, or with CI set", async () => {
    const { api, requests } = engine([completed]);
    const piped = await line.run(["apply"], { api, input: "yes\n" });
    const ci = await line.run(["apply"], {
      api,
      isTerminal: true,
      input: "yes\n",
      env: { CI: "1" },
    });
    expect([piped.code, ci.code]).toEqual([64, 64]);
    expect(piped.stderr).toContain(
      "hint: read the plan above, then run the command again with --yes",
    );
    expect(requests).toEqual([]);
    expect((await line.run(["apply", "--yes"], { api })).code).toBe(0);
  });

  it("says plainly that there is nothing to do", async () => {
    const { api, requests } = engine([], emptyPlan());
    const outcome = await line.run(["apply"], { api });
    expect([outcome.code, outcome.stdout]).toEqual([0, "nothing to do\n"]);
    expect((await line.run(["apply", "--error-on-noop"], { api })).code).toBe(9);
    expect(requests).toEqual([]);
  });

  it("refuses before asking when a guard fails, and passes on what is overridden", async () => {
    const failed = { guard: "objects", passed: false, message: "40% of all objects" } as const;
    const plan = examplePlan({ guards: [{ ...failed, override: "--override objects" }] });
    const { api, requests } = engine([completed], plan);
    const refused = await line.run(["apply", "--yes"], { api });
    expect(refused.code).toBe(6);
    expect(refused.stderr).toContain("error: guard objects: 40% of all objects");
    expect(refused.stderr).toContain("hint: if it is meant: thermocline apply --override objects");
    expect((await line.run(["apply", "--yes", "--override", "objects"], { api })).code).toBe(0);
    expect(requests).toMatchObject([{ expectCid: "bafyplan", override: ["objects"] }]);
  });

  it("lets nothing override a guard that has no override", async () => {
    const guard = { guard: "minimum-copies", passed: false, message: "would go to 0" } as const;
    const { api, requests } = engine([completed], examplePlan({ guards: [guard] }));
    const outcome = await line.run(["apply", "-y", "--override", "minimum-copies"], { api });
    expect([outcome.code, requests]).toEqual([6, []]);
    expect(outcome.stderr).toContain("nothing overrides this guard");
    const unknown = await line.run(["apply", "--override", "everything"], { api });
    expect([unknown.code, requests]).toEqual([64, []]);
  });

  it("shows a saved plan and hands its file to the engine", async () => {
    const { api, requests } = engine([completed]);
    await writeFile(join(line.cwd, "a.plan.json"), JSON.stringify(examplePlan()));
    const outcome = await line.run(["apply", "--plan", "a.plan.json", "--yes"], { api });
    expect(outcome.code).toBe(0);
    expect(requests).toEqual([{ planFile: "a.plan.json" }]);
    await writeFile(join(line.cwd, "b.plan.json"), "{}");
    const wrong = await line.run(["apply", "--plan", "b.plan.json"], { api });
    expect([wrong.code, wrong.stderr.includes("b.plan.json is not a plan")]).toEqual([1, true]);
  });

  it.each([
    ["partial", 3],
    ["failed", 1],
    ["cancelled", 1],
  ] as const)("tells a %s run by its exit code", async (state, code) => {
    const causes = [{ code: "NO_SPACE", count: 7, example: "cold is full" }];
    const { api } = engine([exampleRun("running"), exampleRun(state, { failed: 7, causes })]);
    const outcome = await line.run(["apply", "-y"], { api });
    expect(outcome.code).toBe(code);
    expect(outcome.stdout).toContain("NO_SPACE (7 actions): cold is full");
    const json = await line.run(["apply", "-y", "-o", "json"], { api });
    const last = json.stderr.trimEnd().split("\n").at(-1) ?? "";
    expect(JSON.parse(last)).toMatchObject({ type: "exit_error", code });
  });

  it("writes nothing but JSON lines as progress when asked for them", async () => {
    const { api } = engine([exampleRun("running"), exampleRun("paused"), completed]);
    const { stderr } = await line.run(["apply", "-y", "--progress", "json"], { api });
    const progress = stderr.slice(stderr.indexOf("{")).trimEnd().split("\n");
    const types = progress.map((text) => (JSON.parse(text) as { type: string }).type);
    expect(types[0]).toBe("status");
    expect(types.filter((type) => type === "diagnostic")).toHaveLength(2);
    expect(types.at(-1)).toBe("summary");
  });

  it("does not leave a run behind that nobody carries on", async () => {
    const { api, requests } = engine([exampleRun("running")]);
    const outcome = await line.run(["apply", "-y", "--no-wait"], { api });
    expect([outcome.code, requests]).toEqual([64, []]);
    expect(outcome.stderr).toContain("--no-wait needs a controller");
  });

  it("prints where things stand when it is interrupted, and exits with 130", async () => {
    const stop = new AbortController();
    const running = exampleRun("running", { done: 250, remaining: 750 });
    const { api } = engine([running, running]);
    const interrupting: Partial<EngineApi> = {
      ...api,
      run: () => {
        stop.abort("SIGINT");
        return Promise.resolve(running);
      },
    };
    const outcome = await line.run(["apply", "-y"], { api: interrupting, signal: stop.signal });
    expect(outcome.code).toBe(130);
    expect(outcome.stderr).toContain("interrupted: 250 of 1,000 actions of run r1 are over");
    expect(outcome.stderr).toContain("thermocline resume r1");
  });

  it("goes on showing a run whose controller is away for a moment", async () => {
    const { api } = engine([exampleRun("running"), completed]);
    const away = new EngineError("UNAVAILABLE", "nobody answers");
    let polls = 0;
    const flaky: Partial<EngineApi> = {
      ...api,
      run: (id) => {
        polls += 1;
        return polls <= 3 ? Promise.reject(away) : (api.run?.(id) ?? Promise.reject(away));
      },
    };
    const outcome = await line.run(["apply", "-y"], { api: flaky });
    expect([outcome.code, polls]).toEqual([0, 4]);
    expect(outcome.stderr.match(/does not answer/g)).toHaveLength(1);
    const gone = { ...api, run: () => Promise.reject(away) };
    expect((await line.run(["apply", "-y"], { api: gone })).code).toBe(69);
  });

  it("passes on what the engine refuses, with code and hint", async () => {
    const { api } = engine([completed]);
    const stale = new EngineError("STALE_PLAN", "the index has changed", { hint: "plan again" });
    const refusing = { ...api, apply: () => Promise.reject(stale) };
    const outcome = await line.run(["apply", "-y", "-o", "json"], { api: refusing });
    expect([outcome.code, outcome.stdout]).toEqual([6, ""]);
    expect(JSON.parse(outcome.stderr.trimEnd().split("\n").at(-1) ?? "")).toEqual({
      schemaVersion: 1,
      type: "exit_error",
      code: 6,
      error: "STALE_PLAN",
      message: "the index has changed",
      hint: "plan again",
    });
  });
});
