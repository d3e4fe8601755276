import type { EngineContext } from "#engine/context.ts";
import { BackendHealth } from "#engine/metrics/backend-health.ts";
import { collectMetrics } from "#engine/metrics/collect-metrics.ts";
import { IndexLag } from "#engine/metrics/index-lag.ts";
import { readSpending } from "#engine/metrics/read-spending.ts";
import { renderMetrics } from "#engine/metrics/render-metrics.ts";
import { budgetStates } from "#engine/reports/budget-states.ts";
import { scheduleStatuses } from "#engine/schedules/schedule-status.ts";
import { ordersFor } from "#jobs/admission/paused.ts";
import { queueCounts } from "#jobs/queue-counts.ts";
import type { QueueStore } from "#jobs/queue-store.ts";
import type { Pause } from "#model/control.ts";
import type { EngineStatus, NodeState } from "#model/engine-api.ts";
import type { MetricSeries } from "#model/metric.ts";

export interface MetricsOptions {
  readonly status: () => Promise<EngineStatus>;
  /** The queue store, once runs are executed here. */
  readonly store: () => Promise<QueueStore | undefined>;
  /** What other nodes measured, with their names. */
  readonly nodes: () => readonly MetricSeries[];
}

/** Gathers every metric of the engine, when somebody asks. */
export class EngineMetrics {
  readonly #context: EngineContext;
  readonly #options: MetricsOptions;
  readonly #health: BackendHealth;
  readonly #lag = new IndexLag();

  constructor(context: EngineContext, options: MetricsOptions) {
    this.#context = context;
    this.#options = options;
    this.#health = new BackendHealth(context.pool);
  }

  /** Everything in the Prometheus text format. */
  async text(): Promise<string> {
    const { index, pool, config, limits, lastPlan, snapshots, now } = this.#context;
    const store = await this.#options.store();
    const [
      status,
      runs,
      backends,
      health,
      actionTotals,
      counts,
      version,
      schedules,
      pauses,
      spending,
      budgets,
    ] = await Promise.all([
      this.#options.status(),
      index.runs(),
      index.backends(),
      this.#health.all(now()),
      index.actionTotals(),
      store === undefined ? [] : queueCounts(store, pool.names),
      index.version(),
      // Policies that cannot be read have no times; everything else is told all the same.
      scheduleStatuses(this.#context).catch(() => []),
      index.controls.pauses(),
      readSpending(this.#context),
      budgetStates(this.#context),
    ]);
    const indexLagSeconds = this.#lag.seconds(counts, version, now());
    const facts = collectMetrics({
      status,
      pausedNodes: pausedNodes(status.nodes, pauses, now()),
      runs,
      backends,
      health,
      actionTotals,
      queueCounts: counts,
      indexLagSeconds,
      plan: lastPlan.plan,
      spending,
      budgets,
      limits: limits.list(),
      schedules,
      snapshots: snapshots.newest,
      tails: snapshots.tailed,
      now: now(),
    });
    const node = config.node.name;
    const here = (await pool.meter.measured()).map((series) => {
      return { ...series, labels: { ...series.labels, node } };
    });
    return renderMetrics([...facts, ...here, ...this.#options.nodes()]);
  }
}

function pausedNodes(
  nodes: readonly NodeState[],
  pauses: readonly Pause[],
  now: Date,
): ReadonlySet<string> {
  const names = nodes.map(({ name }) => name);
  return new Set(names.filter((name) => ordersFor(name, pauses, now).paused !== undefined));
}
