import type { EngineContext } from "#engine/context.ts";
import { Scheduler } from "#engine/schedules/scheduler.ts";
import type { StartPolicy } from "#engine/schedules/start-policy.ts";
import type { Starting } from "#engine/schedules/starting.ts";
import { tickWait } from "#engine/schedules/tick-wait.ts";
import { TriggerWatch } from "#engine/schedules/trigger-watch.ts";
import { Turns } from "#engine/schedules/turns.ts";
import type { PolicyTimings } from "#engine/timing-book.ts";
import { endOrGone } from "#jobs/end-or-gone.ts";
import type { QueueStore } from "#jobs/queue-store.ts";
import { type ScheduleTicker, startScheduleTicker } from "#jobs/schedule-ticker.ts";
import { triggerEvents } from "#model/engine-event.ts";
import { EngineError } from "#model/engine-error.ts";
import type { Schedule } from "#policies/timing/schedule.ts";

/** How often the files are looked at, and what the queue store forgot is noticed. */
const lookEveryMs = 10_000;
/** How soon after an event it is looked at; more of them are likely to come together. */
const soonMs = 1_000;

/**
 * Schedules at work: the queue store rings when one is due, the index says what was done. Should
 * the queue store lose its clocks, the next look finds what is due and winds them again.
 * Triggers are looked at with them, and when something happens.
 */
export class Scheduling {
  readonly scheduler: Scheduler;
  readonly #triggers: TriggerWatch;
  readonly #context: EngineContext;
  readonly #onError: (error: EngineError) => void;
  #store: QueueStore | undefined;
  #ticker: ScheduleTicker | undefined;
  #timer: NodeJS.Timeout | undefined;
  #complained = false;
  #synced: PolicyTimings | undefined;
  #looking: Promise<void> = Promise.resolve();
  #listening: readonly (() => void)[] = [];
  #soon: NodeJS.Timeout | undefined;

  constructor(
    context: EngineContext,
    start: StartPolicy,
    onError: (error: EngineError) => void,
    wake: () => void,
  ) {
    this.#context = context;
    this.#onError = onError;
    const { index, now, timings } = context;
    const starting: Starting = {
      starters: index.starters,
      timings: () => timings.timings(),
      runs: () => index.runs(),
      suspensions: () => index.failures.suspensions(),
      start,
      now,
      turns: new Turns(),
    };
    const cancel = async (runId: string) => {
      await index.setRunState(runId, "cancelled", now());
      wake();
    };
    this.scheduler = new Scheduler({ ...starting, cancel });
    this.#triggers = new TriggerWatch({
      ...starting,
      backends: () => index.backends(),
      mark: (event) => index.starters.mark(event),
    });
  }

  /** Deals with what was missed, then with what comes. */
  async start(store: QueueStore): Promise<void> {
    if (this.#ticker !== undefined) return;
    this.#store = store;
    this.#ticker = await startScheduleTicker({
      store,
      onTick: (policy) => this.#onTick(policy),
      onError: this.#onError,
    });
    const { events } = this.#context;
    this.#listening = [
      events.on("run-ended", () => {
        this.#lookIn(0);
      }),
      ...triggerEvents.map((event) =>
        events.on(event, () => {
          this.#triggers.heard(event);
          this.#lookIn(soonMs);
        }),
      ),
    ];
    this.#timer = setInterval(() => {
      this.#look();
    }, lookEveryMs);
    this.#look();
    await this.#looking;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    clearTimeout(this.#soon);
    for (const stop of this.#listening) stop();
    const ticker = this.#ticker;
    this.#ticker = undefined;
    if (this.#store !== undefined) await endOrGone(this.#store, this.#looking);
    await ticker?.close();
  }

  async #onTick(policy: string): Promise<number | undefined> {
    await this.scheduler.tick();
    const schedule = (await this.#context.timings.timings())?.get(policy)?.schedule;
    return schedule === undefined ? undefined : tickWait(policy, schedule, this.#context.now());
  }

  #look(): void {
    this.#looking = this.#looking.then(() => this.#lookOnce());
  }

  /** A look besides the regular ones; many that are asked for at once are one. */
  #lookIn(waitMs: number): void {
    if (this.#ticker === undefined || this.#soon !== undefined) return;
    this.#soon = setTimeout(() => {
      this.#soon = undefined;
      this.#look();
    }, waitMs);
  }

  async #lookOnce(): Promise<void> {
    try {
      await this.#context.index.controls.approvals.expire(this.#context.now());
      await this.#sync();
      await this.scheduler.tick();
      const waitMs = await this.#triggers.check();
      if (waitMs !== undefined && waitMs < lookEveryMs) this.#lookIn(waitMs);
    } catch (error) {
      this.#onError(EngineError.from(error));
    }
  }

  /** Said once: nobody should wait for a start that cannot come. */
  #complain(): void {
    if (this.#complained) return;
    this.#complained = true;
    const message = "no schedule is in force: the policies have errors";
    const hint = "thermocline validate shows them";
    this.#onError(new EngineError("INVALID_DOCUMENT", message, { hint }));
  }

  async #sync(): Promise<void> {
    const timings = await this.#context.timings.timings();
    if (timings === undefined) {
      this.#complain();
      return;
    }
    const schedules = new Map<string, Schedule>();
    for (const [policy, { schedule }] of timings) {
      if (schedule !== undefined) schedules.set(policy, schedule);
    }
    const isEmpty = schedules.size === 0 && this.#synced === timings;
    this.#synced = timings;
    if (!isEmpty) await this.#ticker?.sync(schedules, this.#context.now());
  }
}
