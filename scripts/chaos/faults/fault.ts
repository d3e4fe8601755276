import type { Stage } from "../stage.ts";

/** One kind of harm that chaos does. */
export interface Fault {
  /** Equals the file name. */
  readonly name: string;
  /** How often it is chosen, against the others. */
  readonly weight: number;
  /** What it is done to now (no two faults at a time on one target); undefined: not possible. */
  target(stage: Stage, random: () => number): string | undefined;
  /** Does the harm and undoes it; ends when it is undone. */
  inject(harm: Harm): Promise<void>;
}

export interface Harm {
  readonly stage: Stage;
  readonly target: string;
  readonly random: () => number;
  /** Waits from `lowMs` to `highMs`, less when chaos ends. */
  readonly wait: (lowMs: number, highMs: number) => Promise<void>;
  /** Into the log of faults, with what it was exactly. */
  readonly note: (detail: Readonly<Record<string, unknown>>) => Promise<void>;
}
