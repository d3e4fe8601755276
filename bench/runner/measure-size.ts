import type { Benchmark, BenchmarkPlace, Measurement } from "./benchmark.ts";
import { costOf } from "../median.ts";
import { type Side, takeOnly } from "./compare.ts";
import { peakMemory } from "./peak-memory.ts";
import { Workbench } from "./workbench.ts";

/** What was found at one size. */
export interface SizeReport {
  readonly objects: number;
  readonly rounds: number;
  readonly measurements: readonly Measurement[];
  readonly memory: MemoryReport;
  /** Of both sides together, without what was prepared. */
  readonly processorSeconds: number;
}

/** Of the process that measured, with both sides of each measurement in it. */
export interface MemoryReport {
  readonly peakBytes: number;
  /** Before anything was opened: the program itself. */
  readonly baseBytes: number;
  /** What DuckDB was configured to use at most, all databases together. */
  readonly duckdbLimitBytes: number;
  /** Whether what came on top of the program itself stayed within that. */
  readonly withinLimit: boolean;
  /** What each side holds at most above the program, in a process of its own. */
  readonly apart?: { readonly oursBytes: number; readonly peerBytes: number };
}

const defaultRounds = 5;

/** Runs a benchmark in this process, in a folder where it was prepared. */
export async function measureSize(
  benchmark: Benchmark,
  place: BenchmarkPlace,
  rounds: number = benchmark.rounds ?? defaultRounds,
  side?: Side,
): Promise<SizeReport> {
  const baseBytes = peakMemory();
  takeOnly(side);
  await using bench = new Workbench(place, rounds, side);
  let measurements: readonly Measurement[] = [];
  const { processor } = await costOf(async () => {
    measurements = await benchmark.measure(bench);
  });
  const [peakBytes, duckdbLimitBytes] = [peakMemory(), bench.limitBytes];
  const withinLimit = peakBytes - baseBytes <= duckdbLimitBytes;
  return {
    objects: place.objects,
    rounds,
    measurements,
    memory: { peakBytes, baseBytes, duckdbLimitBytes, withinLimit },
    processorSeconds: processor,
  };
}
