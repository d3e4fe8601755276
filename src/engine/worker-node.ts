import type { BackendPool } from "#engine/backend-pool.ts";
import { openStore, type StoreOptions } from "#engine/open-store.ts";
import { outsidePort } from "#engine/outside-port.ts";
import { nodeReport } from "#engine/runtime.ts";
import { startWorker, type WorkerApi } from "#jobs/worker.ts";
import { EngineError } from "#model/engine-error.ts";

export interface WorkerNodeOptions extends StoreOptions {
  readonly pool: BackendPool;
  /** The controller, over HTTP. */
  readonly api: WorkerApi;
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
    outside: outsidePort(config, options.env),
    settings: { proofAgeMaxMs: config.safety.proofAgeMaxMs },
    clockSkewMs: config.safety.clockSkewMs,
    measurements: pool.meter,
    throttles: pool.throttles,
    concurrencyMax: config.node.limits.concurrency,
    measured: () => pool.meter.measured(),
    onError,
  });
  pool.keepOpening({ drivers, failures, onOpened: (name) => worker.serve(name), onError });
  return {
    backends,
    close: async () => {
      await worker.close();
      await store.close();
      await pool.close();
    },
  };
}
