import type { Marked, WantedAction } from "./simulated-index.ts";

/**
 * A delete rule that selects everything, as the planner treats one: it marks what is not marked,
 * and wants every copy away of what was marked so long ago that its grace is over.
 */
export function deletions(
  marked: readonly Marked[],
  graceMs: number,
  now: number,
): readonly WantedAction[] {
  const none = { source: null, target: null, victim: null, requirements: [] };
  return marked.flatMap(({ object, since, held, copies }): readonly WantedAction[] => {
    if (held || copies.length === 0) return [];
    if (since === undefined) return [{ ...none, verb: "tombstone", object }];
    if (since + graceMs > now) return [];
    return copies.map((victim) => ({ ...none, verb: "delete", object, victim }));
  });
}
