import type { Job } from "bullmq";
import remove from "#jobs/handlers/remove.ts";
import { defaultStepSettings, type StepContext } from "#jobs/step-context.ts";
import type { SegmentAction } from "#jobs/segment.ts";
import type { StepJobData } from "#jobs/step-job.ts";
import { StepMemory } from "#jobs/step-memory.ts";
import type { Driver } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { noMeasurements } from "#model/metric.ts";
import type { CommitResult, RemoveOutcome, StepData } from "#model/run.ts";

/** Decides at each call of a driver what comes next. */
export interface Fate {
  /** Resolves when the call may go on; the order of those who wait is the interleaving. */
  turn(): Promise<void>;
  /** Whether the worker dies at this call: before or after its effect. */
  death(call: keyof Driver): "before" | "after" | undefined;
  now(): Date;
  /** The time of the queue's server; by default that of the worker. */
  queueMs?(): number;
}

/** A remove job: its permits, and what its workers saved in it. */
export class RemoveJob {
  data: StepJobData;
  readonly step: StepData;
  readonly actions: readonly SegmentAction[];
  readonly permitted: CommitResult;
  /** Calls of any of its workers that have not returned yet. */
  readonly underway = new Set<Promise<unknown>>();
  /** Counts up when another worker takes the job over. */
  holder = 0;

  constructor(step: StepData, actions: readonly SegmentAction[], permitted: CommitResult) {
    this.step = step;
    this.data = { ...step, step: "remove" };
    this.actions = actions;
    this.permitted = permitted;
  }

  /** The part of a BullMQ job that a step's memory uses. */
  get asJob(): Job<StepJobData> {
    const save = {
      updateData: async (data: StepJobData) => {
        this.data = data;
      },
      updateProgress: async () => undefined,
    };
    return Object.defineProperty(save, "data", {
      get: () => this.data,
    }) as unknown as Job<StepJobData>;
  }
}

/**
 * Runs the real remove handler as one worker would, until it ends or dies. A dead worker's
 * calls never return, as those of a killed process; what it had begun may still take effect.
 */
export async function workOn(
  job: RemoveJob,
  drivers: ReadonlyMap<string, Driver>,
  fate: Fate,
): Promise<readonly RemoveOutcome[] | "died"> {
  job.holder += 1;
  const mine = job.holder;
  const grave = Promise.withResolvers<"died">();
  const life = { isOver: false, end: () => grave.resolve("died") };
  const around = new Map(
    [...drivers].map(([name, driver]) => [name, mortal(driver, life, fate, job.underway)]),
  );
  const context: StepContext = {
    data: job.data,
    actions: job.actions,
    drivers: around,
    memory: await StepMemory.of(job.asJob),
    lock: {
      get lost() {
        return job.holder !== mine;
      },
      confirm: async () => {
        if (job.holder === mine) return fate.queueMs?.() ?? fate.now().getTime();
        throw new EngineError("CONFLICT", "taken over", { retryable: false });
      },
      keep: async () => ({ [Symbol.dispose]: () => undefined }),
      quiet: async () => {
        await Promise.allSettled(job.underway);
      },
    },
    signal: new AbortController().signal,
    settings: defaultStepSettings,
    measurements: noMeasurements,
    drain: new AbortController().signal,
    outside: undefined,
    now: () => fate.now(),
    permitNow: (queueMs) => new Date(Math.max(fate.now().getTime(), queueMs ?? 0)),
    previous: async <Value>() => job.permitted as Value,
    commit: undefined,
  };
  const work = remove.run(context) as Promise<readonly RemoveOutcome[]>;
  return Promise.race([work, grave.promise]);
}

interface Life {
  isOver: boolean;
  end(): void;
}

/** What a caller sees of a call whose process was killed. */
function forever(): Promise<never> {
  return new Promise(() => undefined);
}

function mortal(driver: Driver, life: Life, fate: Fate, underway: Set<Promise<unknown>>): Driver {
  return new Proxy(driver, {
    get: (target, name: keyof Driver) => {
      const value = target[name];
      if (typeof value !== "function") return value;
      return async (...given: unknown[]): Promise<unknown> => {
        await fate.turn();
        if (life.isOver) return forever();
        const death = fate.death(name);
        if (death !== undefined) life.isOver = true;
        if (death === "before") {
          life.end();
          return forever();
        }
        const call = Promise.resolve(Reflect.apply(value, target, given) as unknown);
        underway.add(call);
        const result = await call.finally(() => underway.delete(call));
        if (death === undefined) return result;
        life.end();
        return forever();
      };
    },
  });
}
