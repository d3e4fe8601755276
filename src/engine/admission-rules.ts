import type { EngineContext } from "#engine/context.ts";
import type { AdmissionRule } from "#jobs/admission.ts";
import { capacityRule } from "#jobs/admission/capacity.ts";
import { cordonRule } from "#jobs/admission/cordon.ts";
import { exceptRepairs } from "#jobs/admission/except-repairs.ts";
import { outageRule } from "#jobs/admission/outage.ts";
import { pausedRule } from "#jobs/admission/paused.ts";
import { paceRule } from "#jobs/admission/pace.ts";
import { policiesRule, type PolicyState } from "#jobs/admission/policies.ts";
import { rateRule } from "#jobs/admission/rate.ts";
import { roleRule } from "#jobs/admission/role.ts";
import { suspendedRule } from "#jobs/admission/suspended.ts";
import { windowRule } from "#jobs/admission/window.ts";

/** What may hold work back, the reason a person should hear first at the top. */
export function admissionRules(
  context: EngineContext,
  policies: PolicyState,
): readonly AdmissionRule[] {
  const { index, timings, watch, limits, nodes } = context;
  const repairRuns = () => index.failures.repairRuns();
  return [
    pausedRule(index.controls),
    exceptRepairs(
      windowRule(() => timings.timings()),
      repairRuns,
    ),
    exceptRepairs(
      suspendedRule(() => index.failures.suspensions()),
      repairRuns,
    ),
    policiesRule(policies),
    cordonRule(async () => (await index.backends()).filter(isCordoned).map(({ name }) => name)),
    outageRule((backend) => watch.healthOf(backend)),
    capacityRule((backend) => watch.healthOf(backend)),
    roleRule((now) => nodes.reached(now)),
    rateRule(limits),
    exceptRepairs(
      paceRule(() => timings.timings()),
      repairRuns,
    ),
  ];
}

function isCordoned({ cordoned }: { readonly cordoned: boolean }): boolean {
  return cordoned;
}
