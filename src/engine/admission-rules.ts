import type { EngineContext } from "#engine/context.ts";
import type { AdmissionRule } from "#jobs/admission.ts";
import { windowRule } from "#jobs/admission/window.ts";

/** What may hold work back, the reason a person should hear first at the top. */
export function admissionRules({ timings }: EngineContext): readonly AdmissionRule[] {
  return [windowRule(() => timings.timings())];
}
