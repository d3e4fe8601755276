import type { AdmissionRule } from "#jobs/admission.ts";
import type { LimitBook } from "#jobs/limits/limit-book.ts";

/** New work waits for a backend that asked to slow down; active work waits in its calls. */
export function rateRule(limits: Pick<LimitBook, "heldUntil">): AdmissionRule {
  return {
    name: "rate",
    judge: ({ source, target, victim, node }, now) => {
      if (node !== undefined) return undefined;
      for (const backend of [target, victim, source]) {
        const until = limits.heldUntil(backend, now);
        if (until === undefined) continue;
        const message = `${backend} asked to wait before it is called again`;
        return { reason: "rate", message, until: until.toISOString() };
      }
      return undefined;
    },
  };
}
