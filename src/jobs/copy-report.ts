import { EngineError } from "#model/engine-error.ts";
import type { CopyOutcome, StepData } from "#model/run.ts";

/**
 * What a copy step returns. Its outcomes leave out CIDs, so it names the segment that says which
 * object each sequence is about.
 */
export interface CopyReport {
  readonly segmentCid: string;
  readonly outcomes: readonly CopyOutcome[];
}

/**
 * The outcomes that a copy step returned, for the commit of the same batch. A worker of an earlier
 * version returned them bare, each with its CID; what a later one may return is refused.
 */
export function reportedOutcomes(
  { batch, segmentCid }: StepData,
  returned: unknown,
): readonly CopyOutcome[] {
  if (Array.isArray(returned)) return returned as readonly CopyOutcome[];
  const report = (returned ?? {}) as Partial<CopyReport>;
  if (report.outcomes === undefined) {
    const message = `the copy step of batch ${batch} returned what this version does not know`;
    throw new EngineError("INTERNAL", message, {
      hint: "run controllers and workers of the same version; the batch is then tried again",
    });
  }
  if (report.segmentCid === segmentCid) return report.outcomes;
  const message = `what came back for batch ${batch} is about segment ${report.segmentCid}`;
  throw new EngineError("INTERNAL", `${message} instead of ${segmentCid}`);
}
