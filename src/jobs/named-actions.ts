import type { SegmentAction } from "#jobs/segment.ts";
import type { SegmentCache } from "#jobs/segment-cache.ts";
import type { StepJobData } from "#jobs/step-job.ts";
import type { Driver } from "#model/driver.ts";
import type { EngineApi } from "#model/engine-api.ts";
import { withName } from "#model/storage-name.ts";

/** The controller, as far as names are concerned, and the drivers that may want them. */
interface NameSource {
  readonly api: Partial<Pick<EngineApi, "segmentNames">>;
  readonly drivers: ReadonlyMap<string, Driver>;
}

/**
 * The actions of a step. Where it makes copies at a backend that stores by name, their objects have
 * the names of this moment: those are in no plan, and change.
 */
export async function namedActions(
  step: StepJobData,
  segments: Pick<SegmentCache, "actions">,
  { api, drivers }: NameSource,
): Promise<readonly SegmentAction[]> {
  const actions = await segments.actions(step);
  const { storesByName } = drivers.get(step.target ?? "")?.capabilities ?? {};
  if (step.step !== "copy" || storesByName !== true || api.segmentNames === undefined) {
    return actions;
  }
  const names = await api.segmentNames(step.planCid, step.from, step.to);
  return actions.map((action) => {
    const facts = names[action.sequence - step.from];
    return facts === undefined ? action : { ...action, object: withName(action.object, facts) };
  });
}
