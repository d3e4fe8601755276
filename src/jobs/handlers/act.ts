import { actOutside } from "#jobs/acts/act-outside.ts";
import { exportCar } from "#jobs/acts/export-car.ts";
import { verifyCopy } from "#jobs/acts/verify-copy.ts";
import { forEachObject } from "#jobs/for-each-object.ts";
import { measuredAction } from "#jobs/measured-action.ts";
import type { SegmentAction } from "#jobs/segment.ts";
import { stopOf, stopWords, type StepContext, type StepHandler } from "#jobs/step-context.ts";
import { isHandedOut } from "#model/run-order.ts";
import type { ActOutcome } from "#model/run.ts";

/**
 * Does what a rule with `run:` wants of the objects of a batch. An object that keeps failing ends
 * as `failed` and never blocks the others; what an earlier worker finished is not repeated.
 */
const act: StepHandler = {
  name: "act",
  run: async (context: StepContext): Promise<readonly ActOutcome[]> => {
    const { memory, signal, drain, data, settings } = context;
    const rest = context.actions.filter(({ sequence }) => !memory.has(sequence));
    const actOn = async (action: SegmentAction): Promise<void> => {
      const doing = () =>
        data.verb === "verify" ? verifyCopy(action, context) : exportCar(action, context);
      memory.add(await measuredAction(context, data.source ?? "", doing));
    };
    try {
      if (isHandedOut(data.verb)) await actOutside(rest, context);
      else await forEachObject(rest, settings.objectsAtOnce, signal, actOn, drain);
    } catch (error) {
      if (stopOf(signal) !== "cancel") throw error;
    }
    for (const { sequence } of rest.filter((action) => !memory.has(action.sequence))) {
      memory.add({ sequence, outcome: "cancelled", reason: stopWords(signal) });
    }
    return memory.outcomes() as readonly ActOutcome[];
  },
};

export default act;
