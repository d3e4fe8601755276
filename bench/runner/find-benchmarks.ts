import { readdir } from "node:fs/promises";
import { nearestMatch } from "#model/nearest-match.ts";
import { EngineError } from "#model/engine-error.ts";
import type { Benchmark } from "./benchmark.ts";

const folder = new URL("../benchmarks/", import.meta.url);

/** The names of all benchmarks there are. */
export async function benchmarkNames(): Promise<readonly string[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".ts"));
  return files.map((file) => file.slice(0, -".ts".length)).toSorted();
}

/** Throws USAGE when there is none of that name. */
export async function findBenchmark(name: string): Promise<Benchmark> {
  const names = await benchmarkNames();
  if (!names.includes(name)) {
    const near = nearestMatch(name, names);
    throw new EngineError("USAGE", `there is no benchmark "${name}"`, {
      hint: near === undefined ? `there are ${names.join(", ")}` : `did you mean ${near}?`,
    });
  }
  const module = (await import(new URL(`${name}.ts`, folder).href)) as { default: Benchmark };
  return module.default;
}
