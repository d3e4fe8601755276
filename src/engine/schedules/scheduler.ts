import {
  activeRun,
  scheduleOrigin,
  scheduleStarter,
  type Starting,
  suspensionOf,
} from "#engine/schedules/starting.ts";
import { EngineError } from "#model/engine-error.ts";
import type { Run } from "#model/run.ts";
import { type Firing, firingNote, type StarterNote, type StarterState } from "#model/starter.ts";
import { type DueOccurrences, dueOccurrences } from "#policies/timing/due-occurrences.ts";
import type { PolicyTiming } from "#policies/timing/policy-timing.ts";
import { jitterOf, type Schedule, scheduleIdentity } from "#policies/timing/schedule.ts";

/** Clocks of controllers that follow each other differ by less. */
const aheadMaxMs = 10 * 60_000;

export interface SchedulerOptions extends Starting {
  readonly cancel: (runId: string) => Promise<unknown>;
}

/**
 * Starts policies by their schedules. What is due is read from the index each time, so a tick
 * may come twice, late, or from anywhere: an occurrence is dealt with once.
 */
export class Scheduler {
  readonly #options: SchedulerOptions;

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  /** Deals with everything that is due now, and with what waited for a run that has ended. */
  tick(): Promise<void> {
    return this.#options.turns.take(async () => {
      const timings = await this.#options.timings();
      if (timings === undefined) return;
      const known = await this.#states();
      for (const [policy, { schedule }] of timings) {
        if (schedule !== undefined) await this.#tickOne(policy, schedule, known.get(policy));
      }
      for (const policy of known.keys()) {
        if (startsByItself(timings.get(policy))) continue;
        await this.#options.starters.forget({ policy, name: scheduleStarter });
      }
    });
  }

  /** Runs a policy now, besides its schedule. CONFLICT while a run of it is under way. */
  runNow(policy: string): Promise<Firing> {
    return this.#options.turns.take(async () => {
      const schedule = await this.#scheduleOf(policy);
      const suspended = await suspensionOf(this.#options, policy);
      if (suspended !== undefined) {
        throw new EngineError("CONFLICT", suspended, { retryable: false });
      }
      const active = await this.#activeRun(policy);
      if (active !== undefined && active.state !== "awaiting-approval") {
        throw new EngineError("CONFLICT", `run ${active.id} of ${policy} is still under way`, {
          retryable: false,
          hint: `wait for it, or thermocline cancel ${active.id}`,
        });
      }
      const state = await this.#stateOf(policy, schedule);
      const firing = await this.#start(policy, this.#options.now());
      await this.#put(policy, { ...state, last: firing }, [firingNote(firing)]);
      return firing;
    });
  }

  /** Disabled, a policy does not start by itself; what is due meanwhile is not caught up later. */
  setEnabled(policy: string, enabled: boolean, reason: string, by: string): Promise<void> {
    return this.#options.turns.take(async () => {
      const schedule = await this.#scheduleOf(policy);
      const { disabled: _was, waiting: _dropped, ...state } = await this.#stateOf(policy, schedule);
      const at = this.#options.now().toISOString();
      const next = enabled ? { ...state, cursor: at } : { ...state, disabled: { reason, by, at } };
      const note: StarterNote = {
        reason: enabled ? "enabled" : "disabled",
        why: `${reason} (${by})`,
      };
      await this.#put(policy, next, [note]);
    });
  }

  async #tickOne(
    policy: string,
    schedule: Schedule,
    stored: StarterState | undefined,
  ): Promise<void> {
    const now = this.#options.now();
    let state = currentState(schedule, stored, now);
    const firings: Firing[] = [];
    if (state.disabled === undefined) {
      const resumed = await this.#startWaiting(policy, state);
      if (resumed !== undefined) {
        const { waiting: _started, ...rest } = state;
        firings.push(resumed);
        state = { ...rest, last: resumed };
      }
      const due = dueOccurrences(policy, schedule, new Date(state.cursor), now);
      const missed = missedFiring(due, now);
      if (missed !== undefined) firings.push(missed);
      state = { ...state, cursor: due.cursor.toISOString() };
      state = { ...state, missed: state.missed + (due.missed?.count ?? 0) };
      if (due.due !== undefined) {
        const firing = await this.#fire(policy, schedule, due.due, state.last);
        firings.push(firing);
        state = waitingAfter(state, firing);
      }
    }
    const last = firings.at(-1);
    if (last !== undefined) state = { ...state, last };
    if (JSON.stringify(state) === JSON.stringify(stored)) return;
    await this.#put(policy, state, firings.map(firingNote));
  }

  /** What an occurrence does, given what is under way. */
  async #fire(
    policy: string,
    schedule: Schedule,
    occurrence: Date,
    last: Firing | undefined,
  ): Promise<Firing> {
    const dueAt = new Date(occurrence.getTime() + jitterOf(policy, occurrence, schedule));
    const adopted = await this.#runSince(policy, dueAt, last);
    if (adopted !== undefined) return this.#firing(occurrence, { runId: adopted.id });
    const suspended = await suspensionOf(this.#options, policy);
    if (suspended !== undefined) {
      return this.#firing(occurrence, { outcome: "skipped", message: suspended });
    }
    const active = await this.#activeRun(policy);
    // Nobody agreed yet to what waits: the plan of now takes its place.
    if (active === undefined || active.state === "awaiting-approval") {
      return this.#start(policy, occurrence);
    }
    const message = `run ${active.id} of an earlier occurrence is under way`;
    if (schedule.overlap === "skip") {
      return this.#firing(occurrence, { outcome: "skipped", message });
    }
    if (schedule.overlap === "cancel-previous" && active.state !== "cancelled") {
      await this.#options.cancel(active.id);
    }
    return this.#firing(occurrence, { outcome: "waiting", message });
  }

  /** The occurrence that waited, once the run before it has ended. */
  async #startWaiting(
    policy: string,
    { waiting, last }: StarterState,
  ): Promise<Firing | undefined> {
    if (waiting === undefined) return undefined;
    const adopted = await this.#runSince(policy, new Date(last?.at ?? waiting), last);
    if (adopted !== undefined) return this.#firing(new Date(waiting), { runId: adopted.id });
    if ((await this.#activeRun(policy)) !== undefined) return undefined;
    if ((await suspensionOf(this.#options, policy)) !== undefined) return undefined;
    return this.#start(policy, new Date(waiting));
  }

  /** A run that was started for this very occurrence before the process could say so. */
  async #runSince(policy: string, dueAt: Date, last: Firing | undefined): Promise<Run | undefined> {
    const runs = await this.#options.runs();
    // What a clock that was ahead started is of no occurrence that comes now.
    const latest = new Date(this.#options.now().getTime() + aheadMaxMs).toISOString();
    return runs.find(
      (run) =>
        run.origin === scheduleOrigin(policy) &&
        run.createdAt >= dueAt.toISOString() &&
        run.createdAt <= latest &&
        run.id !== last?.runId,
    );
  }

  async #start(policy: string, occurrence: Date): Promise<Firing> {
    const result = await this.#options.start({ policy }, scheduleOrigin(policy));
    return this.#firing(occurrence, result);
  }

  #firing(occurrence: Date, result: Partial<Firing>): Firing {
    const at = this.#options.now().toISOString();
    return { occurrence: occurrence.toISOString(), at, outcome: "started", ...result };
  }

  async #activeRun(policy: string): Promise<Run | undefined> {
    return activeRun(await this.#options.runs(), policy);
  }

  async #states(): Promise<ReadonlyMap<string, StarterState>> {
    const all = await this.#options.starters.all();
    const own = all.filter(({ name }) => name === scheduleStarter);
    return new Map(own.map(({ policy, state }) => [policy, state]));
  }

  async #stateOf(policy: string, schedule: Schedule | undefined): Promise<StarterState> {
    const stored = (await this.#states()).get(policy);
    return currentState(schedule, stored, this.#options.now());
  }

  /** Undefined when only triggers start the policy. */
  async #scheduleOf(policy: string): Promise<Schedule | undefined> {
    const timings = await this.#options.timings();
    const timing = timings?.get(policy);
    if (startsByItself(timing)) return timing?.schedule;
    const message =
      timing === undefined
        ? `there is no policy "${policy}" without errors`
        : `policy ${policy} has neither schedule nor triggers`;
    throw new EngineError("NOT_FOUND", message, { hint: "`thermocline schedule ls` lists them" });
  }

  async #put(policy: string, state: StarterState, notes: readonly StarterNote[]): Promise<void> {
    const now = this.#options.now();
    await this.#options.starters.put({ policy, name: scheduleStarter, state }, notes, now);
  }
}

function startsByItself(timing: PolicyTiming | undefined): boolean {
  return timing?.schedule !== undefined || (timing?.triggers.length ?? 0) > 0;
}

/** A schedule that is new, or says other times than before, begins now. */
function currentState(
  schedule: Schedule | undefined,
  stored: StarterState | undefined,
  now: Date,
): StarterState {
  const identity = schedule === undefined ? "none" : scheduleIdentity(schedule);
  const cursor = now.toISOString();
  if (stored === undefined) return { identity, cursor, missed: 0 };
  // What was dealt with by a clock that was ahead would put off all that comes until then.
  const isAhead = Date.parse(stored.cursor) - now.getTime() > aheadMaxMs;
  return stored.identity === identity && !isAhead ? stored : { ...stored, identity, cursor };
}

/** A start stands for the occurrence that waited before it, too. */
function waitingAfter(state: StarterState, { outcome, occurrence }: Firing): StarterState {
  if (outcome === "skipped") return state;
  const { waiting: _waited, ...rest } = state;
  return outcome === "waiting" ? { ...rest, waiting: occurrence } : rest;
}

function missedFiring({ missed }: DueOccurrences, now: Date): Firing | undefined {
  if (missed === undefined) return undefined;
  const { count, first, last } = missed;
  const message =
    count === 1
      ? "nothing ran at its time, and it is too late by now"
      : `${count} occurrences since ${first.toISOString()} did not run`;
  const at = now.toISOString();
  return { occurrence: last.toISOString(), at, outcome: "missed", message };
}
