import type { EngineContext } from "#engine/context.ts";
import type { AdmissionRule } from "#jobs/admission.ts";

/** What may hold work back, the reason a person should hear first at the top. */
export function admissionRules(_context: EngineContext): readonly AdmissionRule[] {
  return [];
}
