import type { AdmissionRule } from "#jobs/admission.ts";
import type { BackendHealth } from "#model/backend-health.ts";

/** Holds work that writes to a full backend. Removals from it go on: they make room. */
export function capacityRule(
  healthOf: (backend: string) => BackendHealth | undefined,
): AdmissionRule {
  return {
    name: "capacity",
    judge: ({ target }) => {
      const health = target === null ? undefined : healthOf(target);
      if (health?.state !== "full") return undefined;
      const { backend, since, message } = health;
      return {
        reason: "capacity",
        message: `backend ${backend} is full since ${since} (${message ?? "no reason given"})`,
        remedy: `make room on ${backend}: work goes on by itself, or cancel the run`,
      };
    },
  };
}
