import type { AdmissionRule } from "#jobs/admission.ts";

/** Whether anybody can tell what the policies want to keep. */
export interface PolicyState {
  /** Why nobody can, as it was found within the last second or so. */
  unknown(): Promise<string | undefined>;
  /** Hears that something waits for that. */
  holds(): void;
}

/**
 * Holds what takes copies away, or marks for deletion, and has not begun, while nobody can tell
 * what the policies want to keep. What is under way with its permits goes on, and copies that
 * nothing is removed for.
 */
export function policiesRule(policies: PolicyState): AdmissionRule {
  let unknown: string | undefined;
  return {
    name: "policies",
    async refresh() {
      unknown = await policies.unknown();
    },
    judge({ victim, verb, node }) {
      if (unknown === undefined || node !== undefined) return undefined;
      if (victim === null && verb !== "tombstone") return undefined;
      policies.holds();
      return {
        reason: "policies",
        message: `nothing is removed, since nobody can tell what to keep: ${unknown}`,
        remedy: "correct the policies (thermocline validate): work goes on by itself",
      };
    },
  };
}
