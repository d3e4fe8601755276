import type { Worker } from "bullmq";
import { setTimeout as sleep } from "node:timers/promises";
import type { ControllersClock } from "#jobs/controllers-clock.ts";
import type { WorkerOptions } from "#jobs/worker.ts";
import type { Check } from "#model/check.ts";
import { clockAdvice, clockWords, judgeClock } from "#model/clock-difference.ts";
import { EngineError } from "#model/engine-error.ts";
import { defaultClockSkewMs } from "#model/removal.ts";

const heartbeatEveryMs = 5_000;
/** A heartbeat waits no longer for the time of the queue's server. */
const queueTimeoutMs = 1_000;

/** A node's way of saying that it lives. */
export interface Heart {
  /** Reports now; what fails is told, and tried again with the next beat. */
  beat(): void;
  stop(): void;
}

/**
 * Says every few seconds that this node lives, and follows what it is told: it takes no jobs
 * while it is paused, and learns the controller's clock.
 */
export function reportNode(
  options: WorkerOptions,
  consumers: ReadonlyMap<string, Worker>,
  clock: ControllersClock,
): Heart {
  const { onError = () => undefined, clockSkewMs = defaultClockSkewMs } = options;
  let known: Check["state"] = "ok";
  /** Says so once, when the clock of this machine begins to be wrong. */
  const tellClock = (aheadMs: number): void => {
    const state = judgeClock(aheadMs, clockSkewMs);
    if (state !== known && state !== "ok") onError(clockError(aheadMs));
    known = state;
  };
  let asked = 0;
  let heard = 0;
  const report = async (): Promise<void> => {
    asked += 1;
    const turn = asked;
    const { api, node, measured } = options;
    const { aheadMs } = clock;
    const ahead = aheadMs === undefined ? {} : { clockAheadMs: aheadMs };
    const series = measured === undefined ? {} : { measured: await measured() };
    const backends = [...consumers.keys()];
    const sent = clock.asking(await queueTime(options));
    const { at, paused } = await api.heartbeat({ ...node, ...ahead, ...series, backends });
    // An answer that comes late must not undo what a later one said.
    if (turn < heard) return;
    heard = turn;
    clock.hear(at, sent);
    tellClock(clock.aheadMs ?? 0);
    for (const lane of consumers.values()) {
      // Active jobs come to rest by themselves: they ask about their steps.
      if (paused !== undefined && !lane.isPaused()) await lane.pause(true);
      else if (paused === undefined && lane.isPaused()) await lane.resume();
    }
  };
  const beat = (): void => {
    report().catch((error: unknown) => {
      onError(EngineError.from(error, "UNAVAILABLE"));
    });
  };
  beat();
  const timer = setInterval(beat, heartbeatEveryMs);
  return {
    beat,
    stop: () => {
      clearInterval(timer);
    },
  };
}

/** Without it, the two clocks of this machine have to do until the next beat. */
async function queueTime({ store }: Pick<WorkerOptions, "store">): Promise<number | undefined> {
  const late = new AbortController();
  const given = sleep(queueTimeoutMs, undefined, { signal: late.signal }).catch(() => undefined);
  const told = store.time().catch(() => undefined);
  const time = await Promise.race([told, given]);
  late.abort();
  return time;
}

function clockError(aheadMs: number): EngineError {
  const message = `the clock of this machine is ${clockWords(aheadMs)} the controller's`;
  return new EngineError("CONFLICT", message, { hint: clockAdvice.hint });
}
