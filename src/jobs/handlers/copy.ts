import { copyGroups } from "#jobs/copy-groups.ts";
import { copyObject } from "#jobs/copy-object.ts";
import type { CopyReport } from "#jobs/copy-report.ts";
import { forEachObject } from "#jobs/for-each-object.ts";
import { measuredAction } from "#jobs/measured-action.ts";
import type { SegmentAction } from "#jobs/segment.ts";
import { stopOf, stopWords, type StepContext, type StepHandler } from "#jobs/step-context.ts";
import { comesBack } from "#model/coming-back.ts";
import { EngineError } from "#model/engine-error.ts";
import type { CopyOutcome } from "#model/run.ts";

/**
 * Copies the objects of a batch to its target. An object that keeps failing ends as `failed`
 * and never blocks the others; objects that an earlier worker finished are not repeated. Those
 * that an archive must restore first, or that the target has to fetch, hold no worker: the step
 * comes back for them.
 */
const copy: StepHandler = {
  name: "copy",
  run: async (context: StepContext): Promise<CopyReport> => {
    const { memory, signal, drain } = context;
    const rest = context.actions.filter((action) => !memory.has(action.sequence));
    try {
      const waiting: EngineError[] = [];
      const copyOne = async (action: SegmentAction): Promise<void> => {
        const { outcome } = await measuredAction(context, context.data.target ?? "", () =>
          copyObject(action, context),
        );
        memory.add(outcome);
      };
      const copyOrWait = (action: SegmentAction): Promise<void> =>
        copyOne(action).catch((thrown: unknown) => {
          const error = EngineError.from(thrown);
          if (!comesBack(error)) throw thrown;
          waiting.push(error);
        });
      await copyGroups(rest, context);
      const left = rest.filter((action) => !memory.has(action.sequence));
      await forEachObject(left, context.settings.objectsAtOnce, signal, copyOrWait, drain);
      if (waiting.length > 0) throw waitFor(waiting);
    } catch (error) {
      if (stopOf(signal) !== "cancel") throw error;
    }
    const cancelled = rest.filter((action) => !memory.has(action.sequence));
    for (const { sequence } of cancelled) {
      memory.add({ sequence, outcome: "cancelled", reason: stopWords(signal) });
    }
    const outcomes = memory.outcomes() as readonly CopyOutcome[];
    return { segmentCid: context.data.segmentCid, outcomes };
  },
};

export default copy;

/** One wait for all of them, until the first may be ready. */
function waitFor(waiting: readonly EngineError[]): EngineError {
  const [first] = waiting;
  const others = waiting.length > 1 ? ` (and ${waiting.length - 1} more)` : "";
  return new EngineError("UNAVAILABLE", `${first?.message ?? ""}${others}`, {
    details: { wait: first?.details["wait"] },
    retryAfterMs: Math.min(...waiting.map(({ retryAfterMs }) => retryAfterMs ?? 0)),
  });
}
