import type { Measurement } from "./benchmark.ts";
import type { SizeReport } from "./measure-size.ts";

/** One of the project's goals, and what of a benchmark tells whether it is met. */
export interface Goal {
  /** As the project counts its goals; several rows may be about one. */
  readonly number: number;
  readonly benchmark: string;
  readonly what: string;
}

/** The goals for the index, for plans and for dispatching, each with what measures it. */
export const goals: readonly Goal[] = [
  { number: 1, benchmark: "plan", what: "a condition of four clauses" },
  { number: 1, benchmark: "plan", what: "a plan: one demote with order and limit" },
  { number: 2, benchmark: "plan", what: "candidates of twenty rules" },
  { number: 3, benchmark: "plan", what: "the same and two clauses on copies" },
  { number: 4, benchmark: "arrow", what: "six columns handed over as Arrow" },
  { number: 5, benchmark: "arrow", what: "six columns to an Arrow file with its CID" },
  { number: 6, benchmark: "heat", what: "reads in a table folded at once" },
  { number: 6, benchmark: "heat", what: "the same at once, and a rewrite" },
  { number: 6, benchmark: "heat", what: "bytes written by that" },
  { number: 6, benchmark: "heat", what: "reads folded into heat" },
  { number: 6, benchmark: "heat", what: "the same, and a rewrite" },
  { number: 6, benchmark: "heat", what: "bytes written by a fold" },
  { number: 7, benchmark: "changes", what: "a scan after a tenth of the rows changed" },
  { number: 8, benchmark: "changes", what: "a scan while rows change" },
  { number: 8, benchmark: "changes", what: "rows changed meanwhile" },
  { number: 9, benchmark: "memory", what: "the time of a plan with order and limit" },
  { number: 9, benchmark: "memory", what: "the time of such a plan" },
  { number: 10, benchmark: "dispatch", what: "jobs of batches enqueued" },
  { number: 10, benchmark: "dispatch", what: "objects copied and recorded" },
  { number: 14, benchmark: "dispatch", what: "from a run that has begun to work on all lanes" },
  { number: 14, benchmark: "dispatch", what: "memory of the queue store" },
  { number: 15, benchmark: "identity", what: "CIDs of snapshots with 1, 2 and 4 threads" },
  { number: 16, benchmark: "plan", what: "objects filtered" },
  { number: 16, benchmark: "plan", what: "objects planned" },
];

/** Their benchmarks, in order of the goals. */
export const goalBenchmarks: readonly string[] = [
  ...new Set(goals.map(({ benchmark }) => benchmark)),
];

export interface MeasuredGoal extends Goal {
  readonly measured: Measurement;
}

/** What such a benchmark says of its goals; throws when it does not measure one. */
export function measuredGoals(
  benchmark: string,
  { measurements }: Pick<SizeReport, "measurements">,
): readonly MeasuredGoal[] {
  return goals
    .filter((goal) => goal.benchmark === benchmark)
    .map((goal) => {
      const measured = measurements.find(({ what }) => what === goal.what);
      if (measured?.goal === undefined) {
        throw new Error(`${benchmark} does not measure goal ${goal.number}: ${goal.what}`);
      }
      return { ...goal, measured };
    });
}
