import type { NodeReport } from "#model/node.ts";
import type { NodeState } from "#model/engine-api.ts";

/** A node that was not heard of for this long is down. Nodes report every five seconds. */
export const nodeDownAfterMs = 15_000;

/** Nodes as they report themselves; kept in memory, since the living ones report again soon. */
export class NodeTable {
  readonly #seen = new Map<string, { readonly report: NodeReport; readonly at: number }>();

  record(report: NodeReport, now: Date): void {
    this.#seen.set(report.name, { report, at: now.getTime() });
  }

  list(now: Date): readonly NodeState[] {
    return [...this.#seen.values()]
      .map(({ report, at }) => ({
        ...report,
        lastSeen: new Date(at).toISOString(),
        up: now.getTime() - at < nodeDownAfterMs,
      }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }
}
