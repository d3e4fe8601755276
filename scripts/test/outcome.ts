/** What became of a file of tests in one run. */
export interface FileOutcome {
  /** From the root of the project; empty for an error that no file is known of. */
  readonly file: string;
  readonly passed: number;
  readonly failed: number;
  /** How many tests of which suites were skipped. */
  readonly skips: Readonly<Record<string, number>>;
  /** What failed, and why. */
  readonly failures: readonly string[];
}

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The tests of some files. */
export function counted(outcomes: readonly FileOutcome[]): Counts {
  const sum = (of: (outcome: FileOutcome) => number): number =>
    outcomes.reduce((all, outcome) => all + of(outcome), 0);
  return {
    passed: sum(({ passed }) => passed),
    failed: sum(({ failed }) => failed),
    skipped: sum(({ skips }) => Object.values(skips).reduce((all, tests) => all + tests, 0)),
  };
}

/** `N passed, N failed, N skipped`. */
export function inWords({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** What is known of each file in the end: the run that had it last counts. */
export function lastOfEach(outcomes: readonly FileOutcome[]): readonly FileOutcome[] {
  return [...new Map(outcomes.map((outcome) => [outcome.file, outcome])).values()];
}
