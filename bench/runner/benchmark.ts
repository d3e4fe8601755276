import type { Workbench } from "./workbench.ts";

/** A benchmark is one file of `bench/benchmarks`, whose default export has the file's name. */
export interface Benchmark {
  readonly name: string;
  /** One line for the list. */
  readonly about: string;
  /** How often each side is taken, unless the caller says. */
  readonly rounds?: number;
  /**
   * Puts into the folder what is measured. It has a process of its own, so that the memory it
   * takes is not counted.
   */
  readonly prepare?: (place: BenchmarkPlace) => Promise<void>;
  /**
   * Each side is also taken in a process of its own, so that what it holds is known. `measure` runs
   * again for that, on what it left behind, and does of the other side only what both need.
   */
  readonly sidesApart?: boolean;
  readonly measure: (bench: Workbench) => Promise<readonly Measurement[]>;
}

export interface BenchmarkPlace {
  readonly objects: number;
  /** Goes away with all that is in it. */
  readonly folder: string;
}

/** What something costs here and on the other side, or the limit it has to keep. */
export interface Measurement {
  /** The same words at every size: by them growth is found. */
  readonly what: string;
  readonly ours: number;
  readonly peer: number;
  readonly peerName: string;
  readonly unit: Unit;
  readonly better: "less" | "more";
  /** Ours by the peer's, the middle one of all rounds: machines drift from one to the next. */
  readonly ratio: number;
  /** The same in seconds of processor time, or what one second of it does. */
  readonly processor?: { readonly ours: number; readonly peer: number; readonly ratio: number };
  /** What the ratio should be at most, or at least when more is better. */
  readonly goal?: number;
  /** What was not as the goal asks: then it is missed, whatever the ratio. */
  readonly unmet?: string;
}

export type Unit = "s" | "B" | "rows/s" | "objects/s" | "CIDs";

/** Whether a ratio keeps its goal; undefined without one. */
export function meetsGoal(
  { better, goal, unmet }: Pick<Measurement, "better" | "goal" | "unmet">,
  ratio: number,
): boolean | undefined {
  if (goal === undefined) return undefined;
  if (unmet !== undefined) return false;
  return better === "less" ? ratio <= goal : ratio >= goal;
}
