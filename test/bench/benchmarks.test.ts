import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { ObjectIndex } from "#index/object-index.ts";
import { measurementsOf } from "../../bench/benchmarks/changes.ts";
import { makeLivelyIndex } from "../../bench/lively-index.ts";
import type { Measurement } from "../../bench/runner/benchmark.ts";
import { benchmarkNames, findBenchmark } from "../../bench/runner/find-benchmarks.ts";
import { formatGoals, formatGrowth, formatSizeReport } from "../../bench/runner/format-report.ts";
import { goalBenchmarks, goals, measuredGoals } from "../../bench/runner/goals.ts";
import { growthOf } from "../../bench/runner/growth-of.ts";
import { measureSize, type SizeReport } from "../../bench/runner/measure-size.ts";

const names = await benchmarkNames();

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "thermocline-bench-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

describe.each(names)("the benchmark %s", (name) => {
  test("gives finite figures for both sides of all it measures", async () => {
    const benchmark = await findBenchmark(name);
    expect(benchmark.name).toBe(name);
    expect(benchmark.about).toMatch(/^[a-z].{20,78}[^.]$/);
    const place = { objects: 1_000, folder: await temporaryFolder() };
    await benchmark.prepare?.(place);
    const report = await measureSize(benchmark, place, 1);
    expect(report.measurements.length).toBeGreaterThan(0);
    const odd = report.measurements.filter((one) => !isSound(one));
    expect(odd).toEqual([]);
    expect(measuredGoals(name, report).every(({ benchmark }) => benchmark === name)).toBe(true);
    const words = report.measurements.map(({ what }) => what);
    expect(new Set(words).size).toBe(words.length);
    // Some start the program many times over.
  }, 300_000);
});

function isSound({ unit, ours, peer, ratio, processor }: Measurement): boolean {
  // The peak of memory belongs to this process, where others were measured before.
  const least = unit === "B" ? 0 : Number.MIN_VALUE;
  const used = [processor?.ours ?? 0, processor?.peer ?? 0];
  return (
    [ours, peer, ratio].every((figure) => figure >= least && Number.isFinite(figure)) &&
    used.every((figure) => figure >= 0)
  );
}

test("the index that benchmarks stand on agrees with itself", async () => {
  const path = join(await temporaryFolder(), "index.duckdb");
  await makeLivelyIndex(path, 2_000);
  const index = await ObjectIndex.open(path);
  try {
    expect(await index.checkSummaries()).toEqual([]);
    expect((await index.totals(1)).objects).toBe(2_000);
  } finally {
    await index.close();
  }
});

test("growth is the power of the size by which a cost grows", () => {
  const sizes = [reportOf(1_000, 2, 8), reportOf(10_000, 20, 8), reportOf(1_000_000, 20, 800)];
  const [first, second] = growthOf(sizes);
  expect([first?.ours, first?.peer]).toEqual([1, 0]);
  expect(second?.ours).toBe(0);
  expect(second?.peer).toBeCloseTo(1);
  expect(formatGrowth(sizes.slice(0, 1))).toBe("");
  expect(formatGrowth(sizes)).toContain("work  1e3 to 1e4  1.00  0.00             0.00");
});

test("a report says whether goals and the memory limit were kept", () => {
  const text = formatSizeReport("some", reportOf(1_000_000, 3, 2));
  expect(text).toContain("some, 1,000,000 objects, one round");
  expect(text).toMatch(
    /work +3\.00 s +1\.50 s +2\.00 s +2\.00 s +bare +1\.50x +0\.75x +<= 1\.2, missed \(met by /,
  );
  expect(text).toContain("allowed were 1.00 GiB: NOT kept");
  expect(formatSizeReport("some", reportOf(1_000, 2, 2))).toContain("<= 1.2, met");
});

test("every goal for the index has a benchmark that there is", () => {
  const numbers = new Set(goals.map(({ number }) => number));
  expect([...numbers]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 14, 15, 16]);
  expect(goalBenchmarks.filter((name) => !names.includes(name))).toEqual([]);
});

test("a scan while hardly any row changes misses its goal, however fast it is", () => {
  expect(busyTable(1_138)).toMatch(
    /scan while rows change .*<= 2\.5, missed \(too few rows changed\)/,
  );
  expect(busyTable(1_138)).toMatch(/rows changed meanwhile .*>= 0\.9, missed/);
  expect(busyTable(19_900)).toMatch(/scan while rows change .*<= 2\.5, met/);
  expect(busyTable(19_900)).toMatch(/rows changed meanwhile .*>= 0\.9, met/);
});

test("goals become one table, and one that nobody measured is noticed", () => {
  const { measurements } = reportOf(1_000_000, 3, 2);
  const [measured] = measurements;
  if (measured === undefined) throw new Error("nothing was measured");
  const text = formatGoals(1_000_000, [
    { number: 7, benchmark: "some", what: "work", measured },
    { number: 8, benchmark: "some", what: "work", measured: { ...measured, ratio: 1 } },
  ]);
  expect(text).toMatch(/ 7 +some: work +3\.00 s +2\.00 s +bare +1\.50x +0\.75x +<= 1\.2, missed/);
  expect(text).toMatch(/ 8 +some: work .* 1\.00x +0\.75x +<= 1\.2, met/);
  expect(() => measuredGoals("plan", { measurements })).toThrow("plan does not measure goal 1: ");
});

/** What the table says when that many rows changed a second and scans took no longer. */
function busyTable(rate: number): string {
  const [scan, changed] = measurementsOf([{ idle: 1, busy: 1, rate }]);
  if (scan === undefined || changed === undefined) throw new Error("nothing was measured");
  const goal = { number: 8, benchmark: "changes" };
  return formatGoals(1_000_000, [
    { ...goal, what: scan.what, measured: scan },
    { ...goal, what: changed.what, measured: changed },
  ]);
}

function reportOf(objects: number, ours: number, peer: number): SizeReport {
  const measured = { ours, peer, ratio: ours / peer, unit: "s", better: "less" } as const;
  const processor = { ours: 1.5, peer: 2, ratio: 0.75 };
  return {
    objects,
    rounds: 1,
    measurements: [{ what: "work", peerName: "bare", ...measured, processor, goal: 1.2 }],
    memory: {
      peakBytes: 3 * 2 ** 30,
      baseBytes: 2 ** 27,
      duckdbLimitBytes: 2 ** 30,
      withinLimit: false,
    },
    processorSeconds: 1,
  };
}
