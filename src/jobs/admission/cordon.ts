import type { AdmissionRule } from "#jobs/admission.ts";

/** Holds copies to a cordoned backend that did not begin. What is under way may end. */
export function cordonRule(read: () => Promise<readonly string[]>): AdmissionRule {
  let cordoned: readonly string[] = [];
  return {
    name: "cordon",
    async refresh() {
      cordoned = await read();
    },
    judge({ target, node }) {
      if (target === null || node !== undefined || !cordoned.includes(target)) return undefined;
      return {
        reason: "cordon",
        message: `backend ${target} is cordoned: it takes no new copies`,
        remedy: `thermocline uncordon ${target}`,
      };
    },
  };
}
