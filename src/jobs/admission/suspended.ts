import type { AdmissionRule } from "#jobs/admission.ts";
import type { Suspension } from "#model/failure.ts";

/** Holds the work of policies of whose actions too large a share failed. */
export function suspendedRule(read: () => Promise<readonly Suspension[]>): AdmissionRule {
  let suspensions = new Map<string, Suspension>();
  return {
    name: "suspended",
    async refresh() {
      suspensions = new Map((await read()).map((one) => [one.policy, one]));
    },
    judge: ({ policy }) => {
      const suspension = suspensions.get(policy);
      if (suspension === undefined) return undefined;
      return {
        reason: "suspended",
        message: `policy ${policy} is suspended since ${suspension.since}: ${suspension.message}`,
        remedy: `thermocline suspensions release ${policy} --reason …`,
      };
    },
  };
}
