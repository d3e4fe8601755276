import { DelayedError, UnrecoverableError, WaitingError, type Job } from "bullmq";
import type { OutageReport } from "#model/backend-health.ts";
import type { Driver } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import type { OutsidePort } from "#model/outside.ts";
import type { Measurements } from "#model/metric.ts";
import { type WaitReason, waitReasons } from "#model/wait.ts";
import { outageOf } from "#jobs/backend-outage.ts";
import { JobLock } from "#jobs/job-lock.ts";
import { outageDelayMs } from "#jobs/run-job.ts";
import type { QueueStore } from "#jobs/queue-store.ts";
import type { SegmentAction } from "#jobs/segment.ts";
import type { StepControls } from "#jobs/step-controls.ts";
import { stepFacts } from "#jobs/step-facts.ts";
import {
  StepStop,
  stopOf,
  stopWords,
  type CommitPort,
  type StepContext,
  type StepHandler,
  type StepSettings,
} from "#jobs/step-context.ts";
import { pack, unpack, type StepJobData, type StepResult } from "#jobs/step-job.ts";
import { StepMemory } from "#jobs/step-memory.ts";

/** A paused job looks this often whether its run goes on, when nobody knows the time. */
const pausedDelayMs = 2_000;
/** When the time is known it looks then, but now and then before: times may be changed. */
const pausedDelayMaxMs = 60_000;

/** What a process that runs steps has at hand. */
export interface StepRunner {
  readonly handlers: ReadonlyMap<string, StepHandler>;
  readonly drivers: ReadonlyMap<string, Driver>;
  readonly settings: StepSettings;
  readonly outside: OutsidePort | undefined;
  readonly measurements: Measurements;
  readonly store: Pick<QueueStore, "kind" | "time" | "tracing">;
  readonly controls: StepControls | undefined;
  readonly commit: CommitPort | undefined;
  /** Aborted when the process shuts down. */
  readonly shutdown: AbortSignal;
  /** Hears of every backend that stopped a step. */
  readonly onOutage?: (outage: Omit<OutageReport, "node">) => void;
  actions(data: StepJobData): Promise<readonly SegmentAction[]>;
  now(): Date;
  /** The latest it may be by the clock of the controller; throws UNAVAILABLE until it is known. */
  permitNow(queueMs?: number): Date;
}

/**
 * Runs one job: the handler of its step until it ends or is stopped. A stopped job keeps what
 * it has done and goes back to its lane: at once on shutdown, later when its run is paused or
 * a backend is out. BullMQ's own retries are left for defects.
 */
export async function runStepJob(
  job: Job<StepJobData>,
  token: string,
  runner: StepRunner,
): Promise<StepResult> {
  const stop = new AbortController();
  const memory = await StepMemory.of(job);
  const onShutdown = () => {
    stop.abort(new StepStop("shutdown"));
  };
  if (runner.shutdown.aborted) onShutdown();
  runner.shutdown.addEventListener("abort", onShutdown);
  const drain = new AbortController();
  const release = await runner.controls?.watch(job.data, (told) => {
    if (told.control === "run") return;
    const why = new StepStop(told.control, told.reason, told.until);
    (told.stop === "finish-object" ? drain : stop).abort(why);
  });
  const signals = { signal: stop.signal, drain: drain.signal };
  try {
    const lock = new JobLock(job, token, runner.store);
    return await runHandler(job, lock, memory, signals, runner);
  } catch (thrown) {
    const stopped = stop.signal.aborted ? stop.signal : drain.signal;
    const reason = stopOf(stopped);
    if (reason === "shutdown") {
      await memory.save(job.data.outages);
      await job.moveToWait(token);
      throw new WaitingError();
    }
    const delayMs =
      reason === "pause"
        ? pauseMs(stopped, runner.now())
        : await delayOf(thrown, job, memory, runner);
    if (delayMs === undefined) throw thrown;
    if (reason === "pause") await memory.save(0, { reason: "paused", message: stopWords(stopped) });
    await job.moveToDelayed(Date.now() + delayMs, token);
    throw new DelayedError();
  } finally {
    release?.();
    runner.store.tracing.note(() => stepFacts(job.data, memory));
    runner.shutdown.removeEventListener("abort", onShutdown);
  }
}

function pauseMs({ reason }: AbortSignal, now: Date): number {
  const until = reason instanceof StepStop ? reason.until : undefined;
  if (until === undefined) return pausedDelayMs;
  const leftMs = Date.parse(until) - now.getTime();
  return Math.min(pausedDelayMaxMs, Math.max(pausedDelayMs, leftMs));
}

async function runHandler(
  job: Job<StepJobData>,
  lock: JobLock,
  memory: StepMemory,
  signals: Pick<StepContext, "signal" | "drain">,
  runner: StepRunner,
): Promise<StepResult> {
  const { data } = job;
  const name = isCommit(data.step) ? "commit" : data.step;
  const handler = runner.handlers.get(name);
  if (handler === undefined) throw new EngineError("INTERNAL", `there is no handler ${name}`);
  const actions = name === "commit" ? [] : await openActions(data, runner);
  memory.expect(actions.length);
  const result = await handler.run({
    ...runner,
    data,
    actions,
    memory,
    lock,
    ...signals,
    now: () => runner.now(),
    permitNow: (queueMs) => runner.permitNow(queueMs),
    previous: async <Value>() => {
      const children = (await job.getChildrenValues()) as Record<string, StepResult> | undefined;
      const child = Object.values(children ?? {})[0];
      if (child !== undefined) return unpack<Value>(child.packed);
      // A job deleted by hand releases its parent. Going on without its result would record
      // nothing for what it may have done: the whole flow is made anew instead.
      throw new UnrecoverableError("the job of the step before it was deleted from the queue");
    },
  });
  return { packed: await pack(result) };
}

function isCommit(step: StepJobData["step"]): boolean {
  return step === "copies" || step === "removals";
}

async function openActions(
  data: StepJobData,
  runner: StepRunner,
): Promise<readonly SegmentAction[]> {
  const ended = new Set(data.ended);
  return (await runner.actions(data)).filter(({ sequence }) => !ended.has(sequence));
}

/** When a backend (or the controller) is out: how long to step aside. Else undefined. */
async function delayOf(
  thrown: unknown,
  job: Job<StepJobData>,
  memory: StepMemory,
  runner: StepRunner,
): Promise<number | undefined> {
  const error = EngineError.from(thrown);
  const outage = outageOf(error);
  if (outage !== undefined) runner.onOutage?.(outage);
  else if (error.code !== "UNAVAILABLE") return undefined;
  const outages = (job.data.outages ?? 0) + 1;
  await memory.save(outages, { reason: reasonOf(error), message: error.message });
  return outageDelayMs(error, outages);
}

/** An error may name the reason itself; else its code tells what is missing. */
function reasonOf({ code, details }: EngineError): WaitReason {
  const { wait } = details;
  if (typeof wait === "string" && wait in waitReasons) return wait as WaitReason;
  if (code === "NO_SPACE") return "capacity";
  return code === "RATE_LIMITED" ? "rate" : "outage";
}
