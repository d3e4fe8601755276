import { readFileSync } from "node:fs";

/** The middle one of several measurements. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** How long something took, in seconds. */
export async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1_000;
}

/** How long something took, and the processor time it took meanwhile, in seconds. */
export async function costOf(work: () => Promise<unknown>): Promise<Cost> {
  const children = childProcessor();
  const before = process.cpuUsage();
  const seconds = await secondsOf(work);
  const { user, system } = process.cpuUsage(before);
  return { seconds, processor: (user + system) / 1e6 + childProcessor() - children };
}

export interface Cost {
  readonly seconds: number;
  /** Of this process and of those it started that have ended. */
  readonly processor: number;
}

/** Of processes that have ended, in seconds; Linux counts hundredths, others do not say. */
function childProcessor(): number {
  if (process.platform !== "linux") return 0;
  const [, after = ""] = readFileSync("/proc/self/stat", "utf8").split(") ");
  const fields = after.split(" ");
  return (Number(fields[13]) + Number(fields[14])) / 100;
}
