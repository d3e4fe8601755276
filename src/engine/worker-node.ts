import type { Config } from "#config.ts";
import type { BackendPool } from "#engine/backend-pool.ts";
import { openStore } from "#engine/open-store.ts";
import { nodeReport } from "#engine/runtime.ts";
import { startWorker, type WorkerApi } from "#jobs/worker.ts";
import { EngineError } from "#model/engine-error.ts";

export interface WorkerNodeOptions {
  readonly config: Config;
  readonly pool: BackendPool;
  readonly version: string;
  /** The controller, over HTTP. */
  readonly api: WorkerApi;
  resolveReference(text: string): Promise<string>;
  readonly onError: (error: EngineError) => void;
}

/** A process that only works: it consumes the lanes of the backends it can open. */
export async function startWorkerNode(
  options: WorkerNodeOptions,
): Promise<{ readonly backends: readonly string[]; close(): Promise<void> }> {
  const { config, pool, version, api, onError } = options;
  const { drivers, failures } = await pool.openAll();
  for (const failure of failures.values()) onError(failure);
  if (drivers.size === 0) {
    throw new EngineError("UNAVAILABLE", "this worker can open none of the configured backends", {
      hint: "run thermocline doctor on this machine",
    });
  }
  const store = await openStore(options);
  const backends = [...drivers.keys()];
  const node = nodeReport({ config, version, roles: ["worker"] }, backends);
  const worker = await startWorker({
    store,
    node,
    drivers,
    api,
    settings: { proofAgeMaxMs: config.safety.proofAgeMaxMs },
    measurements: pool.meter,
    throttles: pool.throttles,
    concurrencyMax: config.node.limits.concurrency,
    measured: () => pool.meter.measured(),
    onError,
  });
  return {
    backends,
    close: async () => {
      await worker.close();
      await store.close();
      await pool.close();
    },
  };
}
