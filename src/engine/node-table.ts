import type { MetricSeries } from "#model/metric.ts";
import type { Heartbeat } from "#model/node.ts";
import type { NodeState } from "#model/engine-api.ts";

/** A node that was not heard of for this long is down. Nodes report every five seconds. */
const nodeDownAfterMs = 15_000;

/** Nodes as they report themselves; kept in memory, since the living ones report again soon. */
export class NodeTable {
  readonly #seen = new Map<string, { readonly report: Heartbeat; readonly at: number }>();

  record(report: Heartbeat, now: Date): void {
    this.#seen.set(report.name, { report, at: now.getTime() });
  }

  /** Backends that a living worker reaches. */
  reached(now: Date): ReadonlySet<string> {
    const workers = this.list(now).filter(({ up, roles }) => up && roles.includes("worker"));
    return new Set(workers.flatMap(({ backends }) => backends));
  }

  list(now: Date): readonly NodeState[] {
    return [...this.#seen.values()]
      .map(({ report: { measured: _measured, ...report }, at }) => ({
        ...report,
        lastSeen: new Date(at).toISOString(),
        up: now.getTime() - at < nodeDownAfterMs,
      }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** What the nodes that are up have measured, each series with the name of its node. */
  measured(now: Date): readonly MetricSeries[] {
    return [...this.#seen.values()]
      .filter(({ at }) => now.getTime() - at < nodeDownAfterMs)
      .flatMap(({ report: { name, measured = [] } }) =>
        measured.map((series) => ({ ...series, labels: { ...series.labels, node: name } })),
      );
  }
}
