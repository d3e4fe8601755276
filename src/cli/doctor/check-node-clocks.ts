import type { Check } from "#model/check.ts";
import { clockAdvice, clockWords, judgeClock } from "#model/clock-difference.ts";
import type { NodeState } from "#model/engine-api.ts";

/** The clock of each node that is up against the controller's, as its heartbeats measure it. */
export function checkNodeClocks(
  nodes: readonly NodeState[],
  clockSkewMs: number,
): readonly Check[] {
  return nodes.flatMap(({ name: node, up, clockAheadMs }): readonly Check[] => {
    if (!up || clockAheadMs === undefined) return [];
    const name = `clock of ${node}`;
    const state = judgeClock(clockAheadMs, clockSkewMs);
    if (state === "ok") return [{ name, state, message: "agrees with the controller's" }];
    const message = `${clockWords(clockAheadMs)} the controller's`;
    return [{ name, state, message, ...clockAdvice }];
  });
}
