/** How many actions of a policy succeeded and failed in one commit. */
export interface OutcomeCount {
  readonly done: number;
  readonly failed: number;
}

/** The newest outcomes of a policy, oldest first: enough to hold its minimum, and no more. */
export type OutcomeWindow = readonly OutcomeCount[];

/**
 * Adds what a commit brought and lets go of what is older than the newest `minimum` outcomes.
 * The window moves by whole commits, so that it is as long as its oldest commit makes it.
 */
export function slideWindow(
  window: OutcomeWindow,
  added: OutcomeCount,
  minimum: number,
): OutcomeWindow {
  if (added.done + added.failed === 0) return window;
  const slid = [...window, added];
  let outcomes = outcomesIn(slid);
  while (slid.length > 1) {
    const [oldest] = slid;
    const rest = outcomes - (oldest === undefined ? 0 : oldest.done + oldest.failed);
    if (rest < minimum) break;
    slid.shift();
    outcomes = rest;
  }
  return slid;
}

/**
 * What a window says: the failures in it when their share reaches `suspendAt` (0 to 1), else
 * undefined. Fewer than `minimum` outcomes say nothing.
 */
export function tooManyFailures(
  window: OutcomeWindow,
  limits: { readonly suspendAt: number; readonly minimum: number },
): { readonly failed: number; readonly outcomes: number } | undefined {
  const outcomes = outcomesIn(window);
  const failed = window.reduce((sum, count) => sum + count.failed, 0);
  if (outcomes === 0 || outcomes < limits.minimum) return undefined;
  if (failed === 0 || failed < limits.suspendAt * outcomes) return undefined;
  return { failed, outcomes };
}

function outcomesIn(window: OutcomeWindow): number {
  return window.reduce((sum, count) => sum + count.done + count.failed, 0);
}
