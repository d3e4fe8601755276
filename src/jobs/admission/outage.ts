import type { AdmissionRule } from "#jobs/admission.ts";
import type { BackendHealth } from "#model/backend-health.ts";
import type { Wait } from "#model/wait.ts";

/**
 * Holds work that writes to, or removes from, a backend that does not answer or takes no
 * writes. A source that is out holds nothing: a copy step takes any other backend that has one.
 */
export function outageRule(
  healthOf: (backend: string) => BackendHealth | undefined,
): AdmissionRule {
  const check = (backend: string | null, writing: boolean): Wait | undefined => {
    const health = backend === null ? undefined : healthOf(backend);
    if (health?.state === "out") return waitFor(health, "does not answer", bringBack);
    if (health?.state === "read-only" && writing) {
      return waitFor(health, "takes no writes", allowWrites);
    }
    return undefined;
  };
  return {
    name: "outage",
    judge: ({ target, victim }) => check(target, true) ?? check(victim, true),
  };
}

const bringBack = "bring the backend back: work goes on by itself once it answers";
const allowWrites =
  "let the engine write there (permissions, mount, state of the service): work goes on by itself";

function waitFor(health: BackendHealth, what: string, remedy: string): Wait {
  const { backend, since, message, nextProbe } = health;
  return {
    reason: "outage",
    message:
      `backend ${backend} ${what} since ${since} (${message ?? "no reason given"}); ` +
      `it is asked again ${nextProbe === undefined ? "soon" : `at ${nextProbe}`}`,
    remedy,
  };
}
