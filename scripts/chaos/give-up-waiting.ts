import type { ApiClient } from "#api/client.ts";

/** Room may come by itself: from the plan that clears the full backend, or a deletion. */
const patienceMs = 60_000;

/**
 * Cancels runs that have waited for room on a full backend for a minute, as `why` tells the
 * operator to: the next plan finds another place. Says how many.
 */
export async function giveUpWaiting(api: ApiClient): Promise<number> {
  let cancelled = 0;
  for (const { id, endedAt, createdAt } of await api.runs()) {
    if (endedAt !== undefined || Date.now() - Date.parse(createdAt) < patienceMs) continue;
    const { waiting } = await api.why(id);
    if (!waiting.some(({ wait }) => wait.reason === "capacity")) continue;
    await api.controlRun(id, "cancel");
    cancelled += 1;
  }
  return cancelled;
}
