import type { EngineContext } from "#engine/context.ts";
import type { AdmissionRule } from "#jobs/admission.ts";
import { pausedRule } from "#jobs/admission/paused.ts";
import { windowRule } from "#jobs/admission/window.ts";

/** What may hold work back, the reason a person should hear first at the top. */
export function admissionRules({ index, timings }: EngineContext): readonly AdmissionRule[] {
  return [pausedRule(index.controls), windowRule(() => timings.timings())];
}
