import type { Config } from "#config.ts";
import type { BackendPool } from "#engine/backend-pool.ts";
import type { Leadership } from "#engine/leadership.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import type { Admission } from "#jobs/admission.ts";
import { type Dispatcher, startDispatcher } from "#jobs/dispatcher.ts";
import { QueueView } from "#jobs/queue-view.ts";
import { laneQueue } from "#jobs/lanes.ts";
import type { LimitBook } from "#jobs/limits/limit-book.ts";
import type { QueueStore } from "#jobs/queue-store.ts";
import { type RunningWorker, startWorker, type WorkerApi } from "#jobs/worker.ts";
import { EngineError } from "#model/engine-error.ts";
import type { NodeReport, Role } from "#model/node.ts";
import type { OutsidePort } from "#model/outside.ts";
import type { AskPolicies } from "#model/policy-word.ts";
import type { Run } from "#model/run.ts";
import type { HeldWork } from "#model/wait.ts";

export interface RuntimeOptions {
  readonly leadership: Leadership;
  readonly config: Config;
  readonly index: ObjectIndex;
  readonly pool: BackendPool;
  readonly version: string;
  /** What its worker may reach outside of the installation. */
  readonly outside: OutsidePort | undefined;
  readonly roles: readonly Role[];
  readonly admission: Admission;
  /** Backends that do not answer. */
  unreachable(): ReadonlySet<string>;
  readonly limits: LimitBook;
  readonly askPolicies: AskPolicies;
  readonly now: () => Date;
  readonly onError: (error: EngineError) => void;
}

/** What executes runs: the queue store, the dispatcher, and a worker when this node is one. */
export interface Runtime {
  readonly store: QueueStore;
  readonly queue: QueueView;
  /** Work that is held back, with the reasons. */
  held(): readonly HeldWork[];
  wake(): void;
  /** Takes up a run that somebody has been starting since then. */
  began(run: Run, from: Date): void;
  close(): Promise<void>;
}

/** Starts executing: takes up every run that an earlier process left unfinished. */
export async function startRuntime(options: RuntimeOptions, api: WorkerApi): Promise<Runtime> {
  const { config, pool, onError } = options;
  await options.leadership.obtain(options.index);
  const store = await options.leadership.store();
  const { drivers, failures } = await pool.openAll();
  for (const failure of failures.values()) onError(failure);
  const dispatcher = await startDispatcher({
    store,
    index: options.index,
    drivers,
    permitTtlMs: config.safety.permitTtlMs,
    clockSkewMs: config.safety.clockSkewMs,
    minimumCopies: config.safety.minimumCopies,
    unreachable: () => options.unreachable(),
    askPolicies: options.askPolicies,
    admission: options.admission,
    leadership: options.leadership.dispatch,
    laneWait: (lane) => options.limits.laneWait(lane),
    laneConcurrency: () => options.limits.concurrency(),
    now: options.now,
    onError,
  });
  options.limits.onHold((backend, ms) => {
    const queue = store.queue(laneQueue(backend));
    queue.rateLimit(ms).catch((error: unknown) => {
      onError(EngineError.from(error, "UNAVAILABLE"));
    });
  });
  const worker = options.roles.includes("worker")
    ? await startWorker({
        store,
        node: nodeReport(options, [...drivers.keys()]),
        drivers,
        api,
        outside: options.outside,
        settings: { proofAgeMaxMs: config.safety.proofAgeMaxMs },
        clockSkewMs: config.safety.clockSkewMs,
        measurements: pool.meter,
        throttles: pool.throttles,
        concurrencyMax: config.node.limits.concurrency,
        onError,
      })
    : undefined;
  pool.keepOpening({
    drivers,
    failures,
    onOpened: async (name) => {
      await worker?.serve(name);
      dispatcher.wake();
    },
    onError,
  });
  // Without a worker, imports and checks of this process still share the limits.
  if (worker === undefined) pool.throttles.connect({ node: config.node.name, api });
  return runtimeOf(store, dispatcher, worker, options.now);
}

/** What this process tells the controller about itself. */
export function nodeReport(
  options: { readonly config: Config; readonly version: string; readonly roles: readonly Role[] },
  backends: readonly string[],
): NodeReport {
  const { config, version, roles } = options;
  return {
    name: config.node.name,
    roles,
    labels: { arch: process.arch, ...config.node.labels },
    architecture: process.arch,
    platform: process.platform,
    version,
    pid: process.pid,
    backends,
    startedAt: new Date(Date.now() - process.uptime() * 1_000).toISOString(),
  };
}

function runtimeOf(
  store: QueueStore,
  dispatcher: Dispatcher,
  worker: RunningWorker | undefined,
  now: () => Date,
): Runtime {
  return {
    store,
    queue: new QueueView(store),
    held: () => dispatcher.held(),
    wake: () => {
      dispatcher.wake();
    },
    began: (run, from) => {
      store.tracing.runBegan(run, from, now());
      dispatcher.wake();
    },
    close: async () => {
      await worker?.close();
      await dispatcher.close();
    },
  };
}
