import type { AdmissionRule } from "#jobs/admission.ts";

/**
 * The same rule for all work but that of repairs: what restores lost copies does not wait for a
 * window of the policy that wants them, nor for the end of its suspension. A person's pause, a
 * backend that is out, and limits hold it as they hold everything.
 */
export function exceptRepairs(
  rule: AdmissionRule,
  repairRuns: () => Promise<readonly string[]>,
): AdmissionRule {
  let repairs: ReadonlySet<string> = new Set();
  return {
    name: rule.name,
    async refresh(now) {
      repairs = new Set(await repairRuns());
      await rule.refresh?.(now);
    },
    judge: (work, now) => (repairs.has(work.runId) ? undefined : rule.judge(work, now)),
    admit: (batch, now) => repairs.has(batch.runId) || (rule.admit?.(batch, now) ?? true),
  };
}
