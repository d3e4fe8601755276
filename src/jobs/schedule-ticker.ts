import { DelayedError, type Job } from "bullmq";
import { endOrGone } from "#jobs/end-or-gone.ts";
import type { QueueStore } from "#jobs/queue-store.ts";
import { EngineError } from "#model/engine-error.ts";
import type { Schedule } from "#policies/timing/schedule.ts";

/** Queue of the ticks; only the controller consumes it. */
export const schedulesQueue = "schedules";

export interface ScheduleTickerOptions {
  readonly store: QueueStore;
  /**
   * The time of a schedule has come: deals with what is due. A jittered occurrence is due a
   * little later: then it answers how long to wait (milliseconds).
   */
  readonly onTick: (policy: string) => Promise<number | undefined>;
  readonly onError: (error: EngineError) => void;
}

/** Has the queue store ring when the time of a schedule comes. */
export interface ScheduleTicker {
  /** Makes the clocks in the queue store equal to these schedules. */
  sync(schedules: ReadonlyMap<string, Schedule>, now: Date): Promise<void>;
  close(): Promise<void>;
}

interface Tick {
  readonly policy: string;
}

const finishedTicksKept = 10;

/** Starts to consume ticks. Schedules that the queue store lost come back with `sync`. */
export async function startScheduleTicker(options: ScheduleTickerOptions): Promise<ScheduleTicker> {
  const { store, onTick, onError } = options;
  const queue = store.queue(schedulesQueue);
  const worker = store.worker<Tick, void>(schedulesQueue, (job, token) => tick(job, token), {
    concurrency: 1,
  });
  const tick = async (job: Job<Tick>, token: string | undefined): Promise<void> => {
    const waitMs = await onTick(job.data.policy);
    if (waitMs === undefined) return;
    await job.moveToDelayed(Date.now() + waitMs, token);
    throw new DelayedError();
  };
  worker.on("failed", (_job, error) => {
    onError(EngineError.from(error));
  });
  return {
    async sync(schedules, now) {
      const wanted = clocksOf(schedules, now);
      const known = await queue.getJobSchedulers();
      for (const { key } of known) {
        if (!wanted.repeated.has(key)) await queue.removeJobScheduler(key);
      }
      for (const [policy, { pattern, every, tz }] of wanted.repeated) {
        const stored = known.find(({ key }) => key === policy);
        if (stored?.pattern === pattern && stored?.every === every && stored?.tz === tz) continue;
        // A start at a multiple keeps all later ticks at multiples.
        const startDate = every === undefined ? 0 : (Math.floor(Date.now() / every) + 1) * every;
        const repeat =
          every === undefined ? { pattern: pattern ?? "", tz: tz ?? "UTC" } : { every, startDate };
        await queue.upsertJobScheduler(policy, repeat, {
          name: "tick",
          data: { policy },
          opts: retention,
        });
      }
      for (const { name, id = "" } of await queue.getDelayed()) {
        if (name === "once" && !wanted.once.has(id)) await queue.remove(id);
      }
      for (const [jobId, { policy, at }] of wanted.once) {
        const delay = at.getTime() - now.getTime();
        await queue.add("once", { policy }, { jobId, delay, ...retention });
      }
    },
    close: () => endOrGone(store, worker.close()),
  };
}

const retention = {
  removeOnComplete: { count: finishedTicksKept },
  removeOnFail: { count: finishedTicksKept },
} as const;

interface Clocks {
  readonly repeated: ReadonlyMap<
    string,
    { readonly pattern?: string; readonly every?: number; readonly tz?: string }
  >;
  readonly once: ReadonlyMap<string, { readonly policy: string; readonly at: Date }>;
}

function clocksOf(schedules: ReadonlyMap<string, Schedule>, now: Date): Clocks {
  const repeated: [string, { pattern?: string; every?: number; tz?: string }][] = [];
  const once: [string, { policy: string; at: Date }][] = [];
  for (const [policy, { timing, zone }] of schedules) {
    if (timing.kind === "cron") repeated.push([policy, { pattern: timing.pattern, tz: zone }]);
    else if (timing.kind === "every") repeated.push([policy, { every: timing.everyMs }]);
    else if (timing.at > now) {
      once.push([`once-${policy}-${timing.at.getTime()}`, { policy, at: timing.at }]);
    }
  }
  return { repeated: new Map(repeated), once: new Map(once) };
}
