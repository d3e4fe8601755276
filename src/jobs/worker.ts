import type { Job, Worker } from "bullmq";
import { setTimeout as sleep } from "node:timers/promises";
import { defaultLimits } from "#model/backend-limits.ts";
import type { Driver } from "#model/driver.ts";
import type { EngineApi } from "#model/engine-api.ts";
import type { OutsidePort } from "#model/outside.ts";
import { outsideLane } from "#model/run-order.ts";
import { EngineError } from "#model/engine-error.ts";
import { type Measurements, type MetricSeries, noMeasurements } from "#model/metric.ts";
import type { NodeReport } from "#model/node.ts";
import { loadRegistryFolder } from "#model/registry-folder.ts";
import { ControllersClock } from "#jobs/controllers-clock.ts";
import { endOrGone } from "#jobs/end-or-gone.ts";
import { Gate } from "#jobs/gate.ts";
import { indexQueue, laneHold, laneQueue, laneTiming } from "#jobs/lanes.ts";
import { namedActions } from "#jobs/named-actions.ts";
import type { NodeThrottles } from "#jobs/limits/node-throttles.ts";
import type { QueueStore } from "#jobs/queue-store.ts";
import { reportNode } from "#jobs/report-node.ts";
import { SegmentCache } from "#jobs/segment-cache.ts";
import { defaultStepSettings, type StepHandler, type StepSettings } from "#jobs/step-context.ts";
import { StepControls } from "#jobs/step-controls.ts";
import { runStepJob, type StepRunner } from "#jobs/step-job-runner.ts";
import type { StepJobData, StepResult } from "#jobs/step-job.ts";

/** What a worker asks of the controller, in its own process or over HTTP. */
export type WorkerApi = Pick<EngineApi, "segment" | "stepControls" | "heartbeat"> &
  Partial<Pick<EngineApi, "limitShares" | "reportOutage" | "segmentNames">>;

export interface WorkerOptions {
  readonly store: QueueStore;
  readonly node: NodeReport;
  /** Drivers by backend: the lanes this worker consumes. May grow; see `RunningWorker.serve`. */
  readonly drivers: ReadonlyMap<string, Driver>;
  readonly api: WorkerApi;
  /** What this process measures, and how to tell the controller of it where that is another. */
  readonly measurements?: Measurements;
  readonly measured?: () => Promise<readonly MetricSeries[]>;
  readonly settings?: Partial<StepSettings>;
  /** With it, the worker does what rules have done outside of the installation. */
  readonly outside?: OutsidePort | undefined;
  /** Jobs of one lane at the same time, until the controller says otherwise. */
  readonly concurrency?: number;
  /** Keep what the drivers do within limits; they hear of their shares while the worker runs. */
  readonly throttles?: NodeThrottles;
  /** Jobs of all lanes at the same time. */
  readonly concurrencyMax?: number | undefined;
  /** How far the clocks of nodes may differ. */
  readonly clockSkewMs?: number;
  readonly now?: () => Date;
  readonly onError?: (error: EngineError) => void;
}

/** A worker that consumes its lanes until it is closed. */
export interface RunningWorker {
  /** Consumes the lane of a backend, too, that could not be opened before. */
  serve(backend: string): Promise<void>;
  /**
   * Stops within seconds: objects that are nearly done finish, others are left for the next
   * worker, which gets their jobs at once.
   */
  close(): Promise<void>;
}

/** On shutdown, active jobs get this long to end by themselves. */
const graceMs = 1_500;

/** Starts consuming the lanes of every backend this node can reach. */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const shutdown = new AbortController();
  const controls = new StepControls(options.api, options.node.name);
  const segments = new SegmentCache(options.api);
  const now = options.now ?? (() => new Date());
  const clock = new ControllersClock({ wallMs: () => now().getTime() });
  const onError = options.onError ?? (() => undefined);
  const runner: StepRunner = {
    handlers: await loadStepHandlers(),
    drivers: options.drivers,
    settings: { ...defaultStepSettings, ...options.settings },
    outside: options.outside,
    controls,
    commit: undefined,
    store: options.store,
    shutdown: shutdown.signal,
    measurements: options.measurements ?? noMeasurements,
    actions: (data) => namedActions(data, segments, options),
    onOutage: (outage) => {
      const report = { ...outage, node: options.node.name };
      // While the controller is away, the outage delays this worker's jobs all the same.
      options.api.reportOutage?.(report).catch(() => undefined);
    },
    now,
    permitNow: (queueMs) => clock.latest(queueMs),
  };
  const consumers = new Map<string, Worker<StepJobData, StepResult>>();
  const settings = {
    concurrency: options.concurrency ?? defaultLimits.perNode,
    gate: new Gate(options.concurrencyMax ?? Infinity),
    name: options.node.name,
  };
  const open = (backend: string) => {
    const lane = consume(options.store, laneQueue(backend), runner, settings);
    lane.on("failed", (job, error) => onError(stepFailure(job?.data, error)));
    consumers.set(backend, lane);
    return lane;
  };
  for (const backend of options.drivers.keys()) open(backend);
  if (options.outside !== undefined) open(outsideLane);
  options.throttles?.connect({
    node: shareName(options.node),
    api: options.api,
    onPerNode: (backend, batches) => {
      const lane = consumers.get(backend);
      if (lane !== undefined && lane.concurrency !== batches) lane.concurrency = batches;
    },
  });
  const heart = reportNode(options, consumers, clock);
  return {
    serve: async (backend) => {
      if (consumers.has(backend) || shutdown.signal.aborted) return;
      const isPaused = [...consumers.values()].some((lane) => lane.isPaused());
      const lane = open(backend);
      if (isPaused) await lane.pause(true);
      heart.beat();
    },
    close: async () => {
      heart.stop();
      const closing = Promise.all([...consumers.values()].map((lane) => lane.close()));
      await Promise.race([closing, sleep(graceMs)]);
      shutdown.abort();
      await endOrGone(options.store, closing);
      controls.close();
    },
  };
}

/** Two processes under one name, by mistake or during a restart, still share. */
function shareName({ name, pid }: NodeReport): string {
  return `${name}/${pid}`;
}

/** A step that threw: a defect or a lost controller, never a mere object. */
export function stepFailure(data: StepJobData | undefined, error: Error): EngineError {
  const { code } = EngineError.from(error);
  const where =
    data === undefined ? "a step" : `step ${data.step} of batch ${data.batch} of run ${data.runId}`;
  return new EngineError(code, `${where} failed: ${error.message}`, { cause: error });
}

/** The step handlers: one per file of the folder. */
export function loadStepHandlers(): Promise<ReadonlyMap<string, StepHandler>> {
  return loadRegistryFolder<StepHandler>(new URL("./handlers/", import.meta.url));
}

/** Consumes one queue with the timing that lets others take over from a killed process. */
export function consume(
  store: QueueStore,
  queue: string,
  runner: StepRunner,
  {
    gate,
    ...options
  }: {
    readonly concurrency: number;
    readonly name?: string;
    readonly gate?: Gate;
  },
): Worker<StepJobData, StepResult> {
  const process = async (job: Job<StepJobData>, token?: string) => {
    using _pass = await gate?.enter();
    // Awaited here: the pass is given back when this function returns.
    return await runStepJob(job, token ?? "", runner);
  };
  const limiter = queue === indexQueue ? {} : { limiter: laneHold };
  const settings = { ...laneTiming, ...options, ...limiter };
  return store.worker<StepJobData, StepResult>(queue, process, settings);
}
