import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EngineApi, ImportProgress } from "#model/engine-api.ts";
import type { QueryChunk } from "#model/query-api.ts";
import { EngineError } from "#model/engine-error.ts";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { parsePolicies } from "#policies/parse-policies.ts";
import { readPolicySources } from "#config/policy-sources.ts";
import { CommandLine } from "./command-line.ts";
import { emptyPlan, examplePlan } from "./examples.ts";

let line: CommandLine;
beforeEach(async () => {
  line = await CommandLine.open();
});
afterEach(() => line[Symbol.asyncDispose]());

describe("usage", () => {
  it("prints the bare version, and more with the command", async () => {
    const { version } = JSON.parse(await readFile("package.json", "utf8")) as { version: string };
    expect(await line.run(["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
    const long = await line.run(["version", "-o", "json"]);
    expect(JSON.parse(long.stdout)).toMatchObject({
      schemaVersion: 1,
      version,
      node: process.version,
    });
  });

  it.each([
    [["no-such-command"], "unknown command"],
    [["plann"], "Did you mean plan?"],
    [["plan", "--no-such-flag"], "unknown option"],
    [["explain"], "missing required argument"],
    [["objects", "ls", "--limit", "0"], "whole number above 0"],
    [["plan", "-o", "xml"], "Allowed choices are text, json, github"],
    [["hold", "x"], "--reason"],
  ])("answers %j with exit code 64 and a reason", async (argv, reason) => {
    const outcome = await line.run(argv);
    expect([outcome.code, outcome.stdout]).toEqual([64, ""]);
    expect(outcome.stderr).toContain(reason);
  });

  it("lists every command in its help, and explains each", async () => {
    const help = await line.run(["--help"]);
    expect(help.code).toBe(0);
    const words = "init validate plan apply explain import objects index hold release cordon";
    const more = "uncordon verify status runs watch pause resume cancel backends nodes up";
    for (const word of `${words} ${more} controller worker doctor config version`.split(" ")) {
      expect(help.stdout).toMatch(new RegExp(`^  ${word}\\b`, "m"));
    }
    expect((await line.run(["help", "plan"])).stdout).toContain("--detailed-exitcode");
  });

  it("ends usage errors with one JSON line for programs", async () => {
    const { stderr } = await line.run(["plan", "--nope", "-o", "json"]);
    expect(JSON.parse(stderr.trimEnd().split("\n").at(-1) ?? "")).toMatchObject({
      type: "exit_error",
      code: 64,
      message: "unknown option '--nope'",
    });
  });
});

describe("init and config", () => {
  it("writes a configuration that loads as it stands, and replaces nothing", async () => {
    const first = await line.run(["init"]);
    expect(first.stdout).toContain("wrote thermocline.yaml\nwrote policies/first.thermocline.yaml");
    const view = await line.run(["config", "view", "-o", "json"]);
    expect([view.code, view.stderr]).toEqual([0, ""]);
    expect(JSON.parse(view.stdout)).toMatchObject({
      backends: [
        { name: "hot", tier: "hot", capacityBytes: 100 * 2 ** 30 },
        { name: "warm" },
        { name: "cold" },
      ],
    });
    const text = await readFile(join(line.cwd, "thermocline.yaml"), "utf8");
    expect(first.stdout).not.toContain("cd ");
    const elsewhere = await line.run(["init", "lake"]);
    expect(elsewhere.stdout).toContain("next:\n  cd lake\n  thermocline doctor");
    const second = await line.run(["init"]);
    expect([second.code, second.stdout]).toEqual([1, ""]);
    expect(second.stderr).toContain("thermocline.yaml exists and is not replaced");
    expect(await readFile(join(line.cwd, "thermocline.yaml"), "utf8")).toBe(text);
  });

  it("writes a first policy without any finding", async () => {
    await line.run(["init"]);
    const sources = await readPolicySources(["policies"], line.cwd);
    const { policies, diagnostics } = parsePolicies(sources, { registry: await loadAttributes() });
    expect([policies.length, diagnostics]).toEqual([1, []]);
  });

  it("shows where each value came from", async () => {
    await line.run(["init"]);
    const env = { THERMOCLINE_LOG_LEVEL: "debug" };
    const argv = ["config", "view", "--origin", "--data", "elsewhere"];
    const { stdout } = await line.run(argv, { env });
    expect(stdout).toMatch(/^data +\S+\/elsewhere +flag --data$/m);
    expect(stdout).toMatch(/^log.level +debug +environment THERMOCLINE_LOG_LEVEL$/m);
    expect(stdout).toMatch(/^safety.minimumCopies +1 +thermocline.yaml:\d+:\d+$/m);
    expect(stdout).toMatch(/^heat.halfLife +7d +default$/m);
  });

  it("shows every error of a configuration with its line, once, and exits with 1", async () => {
    await writeFile(join(line.cwd, "thermocline.yaml"), "apiVersion: thermocline/v1\ndta: x\n");
    const { code, stderr } = await line.run(["status"]);
    expect(code).toBe(1);
    expect(stderr).toContain(
      'thermocline.yaml:2:1: error: unknown key "dta" [E0102]\n2 | dta: x\n  | ^^^',
    );
    expect(stderr).toContain('hint: did you mean "data"?');
    expect(stderr.match(/unknown key/g)).toHaveLength(1);
  });
});

function planning(plan = examplePlan()): Partial<EngineApi> {
  return { plan: () => Promise.resolve({ plan, elapsedMs: 3, sample: [] }) };
}

describe("plan", () => {
  it("prints groups, totals, guards, what is blocked and why, and the CID", async () => {
    const { stdout, code } = await line.run(["plan"], { api: planning() });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^replicate +first\/two-copies +hot → warm +1,000 +2.00 GiB$/m);
    expect(stdout).toMatch(/^demote .* warm → cold, then remove from hot +500 +1.00 GiB$/m);
    expect(stdout).toContain("guards: all passed");
    expect(stdout).toMatch(/first\/cool-down +12 +4.00 KiB +capacity: the target has no room/);
    expect(stdout).toContain("plan bafyplan");
  });

  it("says what a plan costs, each group and in all, where anything has a price", async () => {
    const groups = [
      { now: "0.00004", month: "0.02" },
      { now: "1234.5", month: "-19.000000001" },
    ];
    const cost = { currency: "USD", now: "1234.50004", month: "-18.980000001", groups } as const;
    const { stdout } = await line.run(["plan"], { api: planning({ ...examplePlan(), cost }) });
    expect(stdout).toMatch(/^replicate .* 2.00 GiB +0.000040 USD +\+0.020 USD$/m);
    expect(stdout).toMatch(/^demote .* 1.00 GiB +1234.50 USD +-19.00 USD$/m);
    expect(stdout).toContain("cost: 1234.50 USD now, then 18.98 USD a month less\n");
  });

  it("says that an empty plan does nothing", async () => {
    const { stdout } = await line.run(["plan"], { api: planning(emptyPlan()) });
    expect(stdout).toMatch(/^nothing to do: every object is where the policies want it/);
  });

  it("tells changes by the exit code only when asked", async () => {
    const detailed = ["plan", "--detailed-exitcode"];
    expect((await line.run(["plan"], { api: planning() })).code).toBe(0);
    expect((await line.run(detailed, { api: planning() })).code).toBe(2);
    expect((await line.run(detailed, { api: planning(emptyPlan()) })).code).toBe(0);
  });

  it("says on standard error that the engine runs here, and nothing with --quiet", async () => {
    const loud = await line.run(["plan"], { api: planning() });
    expect(loud.stderr).toContain("the engine runs in this process for the length of the command");
    expect((await line.run(["plan", "-q"], { api: planning() })).stderr).toBe("");
  });
});

const summary: ImportProgress = {
  type: "summary",
  files: 3,
  bytes: 3_072,
  added: 2,
  known: 1,
  problems: 0,
  elapsedMs: 2_000,
};

/** An engine whose import streams these steps. */
function importing(...steps: readonly ImportProgress[]): Partial<EngineApi> {
  return { importDirectory: () => streamOf(steps) };
}

async function* streamOf<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) yield await Promise.resolve(item);
}

describe("import", () => {
  it("shows progress and problems while it goes on, and exits with 3 when some failed", async () => {
    const api = importing(
      { ...summary, type: "progress", files: 1 },
      { ...summary, type: "problem", problems: 1, message: "b.txt: EACCES; chmod it" },
      { ...summary, problems: 1 },
    );
    const argv = ["import", "dir", "x", "--backend", "hot"];
    const { code, stdout, stderr } = await line.run(argv, { api });
    expect(code).toBe(3);
    expect(stderr).toContain("problem: b.txt: EACCES; chmod it");
    expect(stdout).toBe("imported 3 files, 3.00 KiB: 2 new objects, 1 known, 1 problem, in 2s\n");
  });

  it("does not take a stream that broke off for a success", async () => {
    const api = importing({ ...summary, type: "progress" });
    const argv = ["import", "dir", "x", "--backend", "hot"];
    const { code, stderr } = await line.run(argv, { api });
    expect(code).toBe(69);
    expect(stderr).toContain("ended the answer without a summary");
  });

  it("knows an access log by its content", async () => {
    await writeFile(join(line.cwd, "log.ndjson"), '{"path":"/a"}\n{"path":"/b"}\n');
    const seen: (readonly [string, string[]])[] = [];
    const importAccesses: EngineApi["importAccesses"] = async (batch, lines) => {
      seen.push([batch, await Array.fromAsync(lines)]);
      const counts = { applied: 2, unknown: 0, lines: 2, earlier: 0, ignored: 0, malformed: 0 };
      const log = { format: "ndjson", malformedFile: undefined } as const;
      return { ...counts, ...log, repeated: seen.length > 1, examples: [] };
    };
    const argv = ["import", "access", "log.ndjson"];
    await line.run(argv, { api: { importAccesses } });
    const again = await line.run(argv, { api: { importAccesses } });
    expect(seen[0]).toEqual(seen[1]);
    expect(seen[0]?.[0]).toMatch(/^sha256-[0-9a-f]{64}$/);
    expect(seen[0]?.[1]).toEqual(['{"path":"/a"}', '{"path":"/b"}']);
    expect(again.stdout).toContain("had been counted before");
    expect(again.stdout).toBe(
      "2 lines: 2 reads counted, 0 of unknown objects, 0 no reads, 0 malformed; " +
        "this log had been counted before, nothing changed\n",
    );
    const missing = await line.run(["import", "access", "none"], { api: { importAccesses } });
    expect([missing.code, missing.stderr.includes("none cannot be read")]).toEqual([1, true]);
  });
});

const at = new Date("2026-01-01T00:00:00Z");
const columns = ["cid", "size", "at"];
const chunks: readonly QueryChunk[] = [
  { columns, rows: [{ cid: new Uint8Array([1, 112]), size: 5n, at }] },
  { columns, rows: [{ cid: null, size: 6, at: null }] },
];

describe("index query", () => {
  it("prints bytes as hexadecimal digits and empty cells for nulls", async () => {
    const { stdout } = await line.run(["index", "query", "SELECT 1"], {
      api: { query: () => streamOf(chunks) },
    });
    expect(stdout).toBe("CID   SIZE  AT\n0170  5     2026-01-01T00:00:00.000Z\n     6\n");
  });

  it("is one JSON document whatever the number of chunks", async () => {
    const argv = ["index", "query", "SELECT 1", "-o", "json"];
    const { stdout } = await line.run(argv, { api: { query: () => streamOf(chunks) } });
    expect(JSON.parse(stdout)).toEqual({
      schemaVersion: 1,
      columns: ["cid", "size", "at"],
      rows: [
        { cid: "0170", size: "5", at: "2026-01-01T00:00:00.000Z" },
        { cid: null, size: 6, at: null },
      ],
    });
  });
});

describe("errors", () => {
  it("go to standard error with a hint and the code of their kind", async () => {
    const error = new EngineError("UNAVAILABLE", "queue is away", { hint: "start it" });
    const outcome = await line.run(["runs"], { api: { runs: () => Promise.reject(error) } });
    expect([outcome.code, outcome.stdout]).toEqual([69, ""]);
    expect(outcome.stderr).toContain("error: queue is away\nhint: start it\n");
  });

  it("leave a report when they are defects, and name it", async () => {
    const defect = new TypeError("x is not a function");
    const api: Partial<EngineApi> = { status: () => Promise.reject(defect) };
    const { code, stderr } = await line.run(["status"], { api });
    expect(code).toBe(70);
    const file = /please send (\S+\.json)/.exec(stderr)?.[1] ?? "";
    expect(file.startsWith(join(line.cwd, ".thermocline", "reports"))).toBe(true);
    expect(JSON.parse(await readFile(file, "utf8"))).toMatchObject({
      command: ["status"],
      error: expect.stringContaining("x is not a function") as string,
    });
  });
});

describe("an interrupt", () => {
  it("ends a command soon, even while the engine is busy with its question", async () => {
    const stop = new AbortController();
    const busy = Promise.withResolvers<never>();
    setTimeout(() => stop.abort("SIGINT"), 5);
    const api: Partial<EngineApi> = { plan: () => busy.promise };
    expect((await line.run(["plan"], { api, signal: stop.signal })).code).toBe(130);
  });
});

describe("up", () => {
  it("runs until it is told to stop, and ends with the code of the signal", async () => {
    const stop = new AbortController();
    const started: unknown[] = [];
    const outcome = await line.run(["worker"], {
      signal: stop.signal,
      onNode: (roles) => {
        started.push(roles);
        setTimeout(() => stop.abort("SIGTERM"), 5);
      },
    });
    expect([outcome.code, started]).toEqual([143, [["worker"]]]);
    expect(outcome.stdout).toContain("node box runs as worker");
  });
});
