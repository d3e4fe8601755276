import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EngineError } from "#model/engine-error.ts";
import { readNumber, readObjectCounts } from "../../bench/runner/read-number.ts";

const runner = fileURLToPath(new URL("../../bench/run.ts", import.meta.url));
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "thermocline-bench-test-"));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Where it makes its files is a folder that nothing else uses. */
function start(...args: readonly string[]) {
  const env = { ...process.env, TMPDIR: folder };
  const child = spawn(process.execPath, [runner, ...args], { env });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      output[name] += text;
    });
  }
  const ended = once(child, "close").then(([code]) => ({ code: code as number, ...output }));
  return { child, ended };
}

test("a run gives one document, and leaves no files", async () => {
  const args = ["arrow", "--objects", "1_000,2k", "--rounds", "1", "--json"];
  const { code, stdout } = await start(...args).ended;
  expect(code).toBe(0);
  const { schemaVersion, benchmarks } = JSON.parse(stdout);
  expect(schemaVersion).toBe(1);
  const [{ name, sizes, growth }] = benchmarks;
  expect(name).toBe("arrow");
  expect(sizes.map(({ objects }: { objects: number }) => objects)).toEqual([1_000, 2_000]);
  expect(sizes[0].memory).toMatchObject({ duckdbLimitBytes: 2 ** 30, withinLimit: true });
  const { apart, peakBytes, baseBytes } = sizes[0].memory;
  for (const side of [apart.oursBytes, apart.peerBytes]) {
    expect(side).toBeGreaterThan(0);
    expect(side).toBeLessThan(1.5 * (peakBytes - baseBytes) + 2 ** 26);
  }
  expect(growth.length).toBe(sizes[0].measurements.length);
  expect(await readdir(folder)).toEqual([]);
}, 180_000);

test("without a name it lists what there is", async () => {
  const { code, stdout } = await start().ended;
  expect(code).toBe(0);
  expect(stdout).toMatch(/^arrow {5}results as Arrow/m);
  expect(stdout).toMatch(/^plan {6}/m);
  expect(stdout).toMatch(/^goals {5}/m);
});

test("the table of goals is asked for alone", async () => {
  const { code, stderr } = await start("goals", "plan").ended;
  expect(code).not.toBe(0);
  expect(stderr).toContain("goals stands alone: it runs plan, arrow, heat,");
});

test("a name that there is not ends with 64 and the nearest one", async () => {
  const { code, stderr } = await start("snapshots").ended;
  expect(code).toBe(64);
  expect(stderr).toBe('error: there is no benchmark "snapshots"\nhint: did you mean snapshot?\n');
});

test("an option that there is not ends with 64", async () => {
  const { code, stderr } = await start("plan", "--sizes", "3").ended;
  expect(code).toBe(64);
  expect(stderr).toContain("--sizes");
});

test("interrupted, it ends all it started and leaves no files", async () => {
  const { child, ended } = start("plan", "--objects", "50M");
  const hasBegun = async () =>
    (await readdir(folder, { recursive: true })).some((file) => file.endsWith("index.duckdb"));
  while (child.exitCode === null && !(await hasBegun())) await sleep(50);
  child.kill("SIGINT");
  const { code, stderr } = await ended;
  expect(code).toBe(130);
  expect(stderr).toBe("error: ended by SIGINT\n");
  expect(await readdir(folder)).toEqual([]);
});

test("sizes are read as people write them, from few to many", () => {
  expect(readObjectCounts("1e6,1_000, 10k,1M,1.5e4")).toEqual([1_000, 10_000, 15_000, 1_000_000]);
  expect(readNumber("--rounds", "3")).toBe(3);
});

test.each(["", "x", "1e", "1e3x", "-1000", "0", "1.5", "999", "2e9", "1000,,2000", "1__000"])(
  "%j is no number of objects",
  (text) => {
    expect(() => readObjectCounts(text)).toThrow(EngineError);
  },
);
