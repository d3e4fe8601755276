// One part of one size, in a process of its own: what to do comes as JSON in the first argument,
// what was found goes back as a message.
import { EngineError } from "#model/engine-error.ts";
import { findBenchmark } from "./find-benchmarks.ts";
import { measureSize, type SizeReport } from "./measure-size.ts";

/** What such a process is asked to do. */
export interface SizeTask {
  readonly name: string;
  readonly part: "prepare" | "measure" | "ours" | "peer";
  readonly objects: number;
  readonly folder: string;
  readonly rounds: number | undefined;
}

/** How it ends: with a report when it was to measure. */
export type SizeAnswer = { readonly report?: SizeReport } | { readonly problem: string };

// Whoever asked is gone: nobody wants the answer, and nobody removes what is made.
process.once("disconnect", () => process.exit(1));
const answer = await carryOut(JSON.parse(process.argv[2] ?? "") as SizeTask);
process.send?.(answer, () => process.exit(0));

async function carryOut({ name, part, rounds, ...place }: SizeTask): Promise<SizeAnswer> {
  try {
    const benchmark = await findBenchmark(name);
    if (part === "prepare") {
      await benchmark.prepare?.(place);
      return {};
    }
    if (part === "measure") return { report: await measureSize(benchmark, place, rounds) };
    return { report: await measureSize(benchmark, place, 1, part) };
  } catch (error) {
    const { stack, message } = EngineError.from(error);
    return { problem: (error as Error).stack ?? stack ?? message };
  }
}
