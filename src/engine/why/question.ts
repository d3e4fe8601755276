import type { EngineContext } from "#engine/context.ts";
import type { Execution } from "#engine/execution.ts";
import type { Standing } from "#engine/why/standing.ts";
import type { OpenWork } from "#model/why.ts";

/** Somebody asks why: what the answers are found with. */
export interface Question {
  readonly context: EngineContext;
  readonly execution: Execution;
  /** Open work of a run, or of all, and what may hold it back. */
  readonly look: (runId?: string) => Promise<{
    readonly work: readonly OpenWork[];
    readonly standing: Standing;
  }>;
}
