import type { Run } from "#model/run.ts";

/** What a span says about its work. Numbers and names of bounded length, never contents. */
export type SpanFacts = Readonly<Record<string, string | number | boolean>>;

/**
 * Spans beside those that the queue makes for its jobs. All spans of a run form one trace, in
 * whichever process and after whatever restart they are made.
 */
export interface Tracing {
  /** The span in which a run was started; all others of the run stand below it. */
  runBegan(run: Run, from: Date, to: Date): void;
  /** A span as long as the run itself, with how it ended. */
  runEnded(run: Run): void;
  /** Acts for a run within a span. */
  within<Result>(
    runId: string,
    name: string,
    facts: SpanFacts,
    act: () => Promise<Result>,
  ): Promise<Result>;
  /** Adds to the span in which the caller works, that of its job; only asked when there is one. */
  note(facts: () => SpanFacts): void;
}

/** For a process that is not watched. */
export const noTracing: Tracing = {
  runBegan: () => undefined,
  runEnded: () => undefined,
  within: (_runId, _name, _facts, act) => act(),
  note: () => undefined,
};
