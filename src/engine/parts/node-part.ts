import { backendReports } from "#engine/backend-reports.ts";
import { collectGarbage } from "#engine/collect-garbage.ts";
import type { EngineContext } from "#engine/context.ts";
import type { Execution } from "#engine/execution.ts";
import { EngineMetrics } from "#engine/metrics/engine-metrics.ts";
import { hidePassword } from "#jobs/queue-store.ts";
import { ordersFor } from "#jobs/admission/paused.ts";
import { laneNames } from "#engine/outside-port.ts";
import { nodeReport } from "#engine/runtime.ts";
import { engineStatus } from "#engine/status.ts";
import type { BackendHealth } from "#model/backend-health.ts";
import type { EngineApi } from "#model/engine-api.ts";
import type { LeaderState } from "#model/leader-state.ts";

type NodePart = Pick<
  EngineApi,
  "status" | "metrics" | "backends" | "setCordon" | "collectGarbage" | "nodes" | "heartbeat"
>;

/** The installation: what it is made of and how it is. */
export function nodePart(
  context: EngineContext,
  execution: Execution,
  leader: () => Promise<LeaderState | undefined>,
): NodePart {
  const { config, version, index, pool, now, watch } = context;
  const table = context.nodes;
  const startedAt = now();
  const nodes: EngineApi["nodes"] = async () => {
    if (execution.started) {
      // This process is a node too, and certainly up.
      const lanes = laneNames(config, pool.names);
      table.record(nodeReport({ config, version, roles: execution.roles }, lanes), now());
    }
    return table.list(now());
  };
  const status: EngineApi["status"] = async () => {
    const runtime = await execution.runtime();
    const queue = runtime?.store.address ?? `${hidePassword(config.queue.url)} (not started)`;
    // A queue that is away takes nothing else from the picture; it is waited for once.
    const [lead, held] = await Promise.all([
      leader().catch(() => "away" as const),
      execution.held(),
    ]);
    return engineStatus(context, {
      queue: lead === "away" ? `${queue} (does not answer)` : queue,
      startedAt,
      leader: lead === "away" ? undefined : lead,
      nodes: await nodes(),
      held,
    });
  };
  const metrics = new EngineMetrics(context, {
    status,
    store: async () => (await execution.runtime())?.store,
    nodes: () => table.measured(now()),
  });
  const healthOf = (backend: string): BackendHealth =>
    watch.healthOf(backend) ?? nothingKnown(backend, startedAt);
  return {
    status,
    metrics: () => metrics.text(),
    nodes,
    async heartbeat(report) {
      table.record(report, now());
      return ordersFor(report.name, await index.controls.pauses(), now());
    },
    async backends() {
      const known = (await index.backends()).filter(({ name }) => pool.names.includes(name));
      const answers = await backendReports(
        pool,
        known.map(({ name }) => name),
      );
      return known.map((backend, at) => ({
        ...backend,
        ...answers[at]!,
        health: healthOf(backend.name),
      }));
    },
    async setCordon(backend, cordoned) {
      await index.setCordon(backend, cordoned);
      execution.wake();
    },
    collectGarbage: (request) => collectGarbage(context, request),
  };
}

function nothingKnown(backend: string, since: Date): BackendHealth {
  const at = since.toISOString();
  return { backend, state: "up", since: at, message: undefined, nextProbe: undefined };
}
