import { setTimeout as sleep } from "node:timers/promises";
import type { Driver } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { Admission } from "#jobs/admission.ts";
import { Bell } from "#jobs/bell.ts";
import { endOrGone } from "#jobs/end-or-gone.ts";
import { ForwardSteps } from "#jobs/forward-steps.ts";
import type { DispatchContext, DispatchIndex } from "#jobs/dispatch-context.ts";
import { refillShare } from "#jobs/enqueue-batches.ts";
import { DispatchRound } from "#jobs/dispatch-round.ts";
import { noMeasurements } from "#model/metric.ts";
import type { AskPolicies } from "#model/policy-word.ts";
import { formatDuration } from "#model/quantity.ts";
import { defaultClockSkewMs, permitMarginMs } from "#model/removal.ts";
import type { Run } from "#model/run.ts";
import type { HeldWork, Wait } from "#model/wait.ts";
import { indexQueue } from "#jobs/lanes.ts";
import { LaneTurns } from "#jobs/lane-turns.ts";
import type { QueueStore } from "#jobs/queue-store.ts";
import { defaultStepSettings } from "#jobs/step-context.ts";
import type { StepRunner } from "#jobs/step-job-runner.ts";
import { WaitBoard } from "#jobs/wait-board.ts";
import { consume, loadStepHandlers, stepFailure } from "#jobs/worker.ts";

export interface DispatcherOptions {
  readonly store: QueueStore;
  readonly index: DispatchIndex;
  /** To ask backends how removals with an unknown outcome ended. */
  readonly drivers: ReadonlyMap<string, Driver>;
  readonly permitTtlMs?: number;
  /** How far the clocks of nodes may differ. */
  readonly clockSkewMs?: number;
  /** Fewest verified copies any object keeps. */
  readonly minimumCopies?: number;
  /** Backends that do not answer: a removal that would rest on a copy there waits. */
  unreachable?(): ReadonlySet<string>;
  /** What policies say of objects right now, before something is taken away. */
  readonly askPolicies: AskPolicies;
  /** The right to be the controller; without it nobody else can be one. */
  readonly leadership?: DispatchLeadership;
  /** What may hold work back; nothing when it is missing. */
  readonly admission?: Admission;
  /** Why a full lane does not go faster, when there is more to say than that it is full. */
  readonly laneWait?: (lane: string) => Wait | undefined;
  /** Batches of each lane that all nodes together may work on at the same time. */
  readonly laneConcurrency?: () => ReadonlyMap<string, number>;
  readonly queuedPerLaneMax?: number;
  /** How often lost flows and expired permits are looked for. */
  readonly repairEveryMs?: number;
  readonly now?: () => Date;
  /** A clock that nobody can set; that of the process unless it is given. */
  readonly monotonicMs?: () => number;
  readonly onError?: (error: EngineError) => void;
  /** Hears of every run that ended. */
  readonly onRunEnded?: (run: Run) => void;
}

/** What the dispatcher must know of the right of its process to be the controller. */
export interface DispatchLeadership {
  readonly epoch: number;
  /** Before this no permit is issued. */
  readonly permitsFrom: Date;
  /** Aborted once another controller has taken over. */
  readonly lost: AbortSignal;
  /** Hears that the clock went forward: for so long, nobody who leads issues or settles permits. */
  clockStepped?(stepMs: number, holdMs: number): void;
}

/** The controller's side of the queue: keeps lanes filled, commits results, ends runs. */
export interface Dispatcher {
  /** What was held back in the last round. */
  held(): readonly HeldWork[];
  /** Looks at once: a run was started, paused, resumed or cancelled. */
  wake(): void;
  /** After this nothing is dispatched or committed. */
  close(): Promise<void>;
}

export const defaultQueuedPerLaneMax = 50;
/** Long enough for a lane with its queue of batches; an expired permit costs a second run. */
export const defaultPermitTtlMs = 60 * 60 * 1_000;
const roundEveryMs = 1_000;
/** Without a run that goes on, there is nothing to look at but what somebody tells us. */
const idleRoundEveryMs = 10_000;
/** Commits come in crowds: they share a round. */
const roundPauseMs = 50;
/** A round that had much to read leaves the processor to the commits, while lanes are full. */
const restOfRound = 3;
const restMaxMs = 400;
/** Lost flows and expired permits are rare: they are looked for less often. */
const defaultRepairEveryMs = 10_000;
/** What is committed at the same time shares a transaction of the index. */
export const commitsAtOnce = 24;

/** Takes up all running runs and serves them until it is closed. One per installation. */
export async function startDispatcher(options: DispatcherOptions): Promise<Dispatcher> {
  const dispatch = contextOf(options);
  const { store, now, onError } = dispatch;
  const bell = new Bell();
  /** Rings when so much was committed that a lane may want more. */
  const refill = new Bell();
  let commitsSince = 0;
  const shutdown = new AbortController();
  // Whoever lost the lease lets go of its jobs at once, without a failure on their account.
  options.leadership?.lost.addEventListener("abort", () => {
    shutdown.abort();
    bell.ring();
    refill.ring();
  });
  const runner: StepRunner = {
    handlers: await loadStepHandlers(),
    drivers: dispatch.drivers,
    settings: defaultStepSettings,
    outside: undefined,
    measurements: noMeasurements,
    controls: undefined,
    commit: dispatch.commit,
    store,
    shutdown: shutdown.signal,
    actions: async () => [],
    now,
    // Here is the clock that issues permits and settles them.
    permitNow: now,
  };
  const commits = consume(store, indexQueue, runner, { concurrency: commitsAtOnce });
  const round = new DispatchRound(dispatch, {
    repairEveryMs: options.repairEveryMs ?? defaultRepairEveryMs,
    laneConcurrency: options.laneConcurrency ?? (() => new Map()),
    onRunEnded: options.onRunEnded ?? (() => undefined),
  });
  commits.on("completed", () => {
    bell.ring();
    commitsSince += 1;
    if (commitsSince >= dispatch.queuedPerLaneMax * refillShare) refill.ring();
  });
  commits.on("failed", (job, error) => {
    onError(stepFailure(job?.data, error));
    round.suspect();
    bell.ring();
  });
  const loop = (async () => {
    while (!shutdown.signal.aborted) {
      const begun = performance.now();
      commitsSince = 0;
      await round.run().catch((error: unknown) => {
        onError(EngineError.from(error));
      });
      const rest = Math.min(restOfRound * (performance.now() - begun), restMaxMs);
      await sleep(roundPauseMs);
      await refill.wait(Math.max(0, rest - roundPauseMs));
      await bell.wait(round.busy ? roundEveryMs : idleRoundEveryMs);
    }
  })();
  return {
    held: () => dispatch.waits.list(),
    wake: () => {
      refill.ring();
      // What was cancelled is taken out of the queue by the repair.
      round.suspect();
      bell.ring();
    },
    close: async () => {
      shutdown.abort();
      bell.ring();
      refill.ring();
      await endOrGone(store, Promise.all([loop, commits.close()]));
    },
  };
}

function contextOf(options: DispatcherOptions): DispatchContext {
  const now = options.now ?? (() => new Date());
  const clockSkewMs = options.clockSkewMs ?? defaultClockSkewMs;
  const permitTtlMs = options.permitTtlMs ?? defaultPermitTtlMs;
  const onError = options.onError ?? (() => undefined);
  const permitsFromMs = options.leadership?.permitsFrom.getTime() ?? 0;
  const steps = new ForwardSteps({
    wallMs: () => now().getTime(),
    monotonicMs: options.monotonicMs ?? (() => performance.now()),
    toleratedMs: clockSkewMs,
    holdMs: permitTtlMs + permitMarginMs(clockSkewMs),
    heldMs: Math.max(0, permitsFromMs - now().getTime()),
    onStep: (stepMs, holdMs) => {
      onError(stepError(stepMs, holdMs));
      options.leadership?.clockStepped?.(stepMs, holdMs);
    },
  });
  const context = () => ({
    now: now(),
    clockSkewMs,
    permitTtlMs,
    minimumCopies: options.minimumCopies ?? 1,
    unreachable: options.unreachable?.() ?? new Set<string>(),
    askPolicies: options.askPolicies,
    ...(options.leadership === undefined ? {} : { epoch: options.leadership.epoch }),
    ...permitsFrom(now(), steps.heldMs()),
  });
  return {
    store: options.store,
    index: options.index,
    drivers: options.drivers,
    commit: { index: options.index, context },
    now,
    onError,
    permitsHeldMs: () => steps.heldMs(),
    freeSince: new Map(),
    admission: options.admission ?? new Admission([]),
    waits: new WaitBoard(),
    turns: new LaneTurns(),
    laneWait: options.laneWait ?? (() => undefined),
    clockSkewMs,
    queuedPerLaneMax: options.queuedPerLaneMax ?? defaultQueuedPerLaneMax,
  };
}

/** Before this no permit is issued: after a takeover, and after the clock was set forward. */
function permitsFrom(now: Date, heldMs: number) {
  return heldMs > 0 ? { permitsFrom: new Date(now.getTime() + heldMs) } : {};
}

function stepError(stepMs: number, holdMs: number): EngineError {
  const message =
    `the clock of the controller went forward by ${formatDuration(stepMs)}: for ` +
    `${formatDuration(holdMs)} no copy is given up, since workers may use permits by the time before`;
  const hint = "nothing to do: removals go on by themselves; set clocks by small steps";
  return new EngineError("CONFLICT", message, { hint });
}
