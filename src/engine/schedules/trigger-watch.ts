import {
  activeRun,
  scheduleStarter,
  starterKey,
  starterStates,
  type Starting,
  suspensionOf,
  triggerOrigin,
} from "#engine/schedules/starting.ts";
import type { PolicyTimings } from "#engine/timing-book.ts";
import type { Backend } from "#model/backend.ts";
import type { TriggerEvent } from "#model/engine-event.ts";
import { formatSize } from "#model/quantity.ts";
import type { Run } from "#model/run.ts";
import { type Firing, firingNote, type StarterState } from "#model/starter.ts";
import type { PolicyScope } from "#policies/plan/narrow-draft.ts";
import { type Trigger, triggerName } from "#policies/timing/policy-timing.ts";
import { bytesAboveLowMark, isUsageActive } from "#policies/timing/usage-mark.ts";

export interface TriggerWatchOptions extends Starting {
  readonly backends: () => Promise<readonly Backend[]>;
  /** A number that grows whenever such an event becomes true in the index. */
  readonly mark: (event: TriggerEvent) => Promise<number>;
}

/** An event has to be followed by quiet, so that a thousand of them start one run, not many. */
export const eventQuietMs = 5_000;
/** Where it never gets quiet, what was pending so long starts a run all the same. */
export const eventPendingMaxMs = 300_000;
/** Shortest time between two starts by one event. */
export const eventGapMs = 60_000;
/** After a start that freed nothing the next one waits, twice as long each time. */
export const fruitlessWaitMs = 60_000;
const fruitlessWaitMaxMs = 3_600_000;

type UsageTrigger = Extract<Trigger, { kind: "usage" }>;
type EventTrigger = Extract<Trigger, { kind: "event" }>;

/** A trigger, what is kept of it, and what it has to look at. */
interface Watched<Kind extends Trigger> {
  readonly policy: string;
  readonly trigger: Kind;
  readonly stored: StarterState | undefined;
  readonly isDisabled: boolean;
  readonly runs: readonly Run[];
  readonly now: Date;
}

/**
 * Starts policies by what happens: a backend fills up, copies are lost, objects or backends come.
 * Everything is judged by what the index says, so that nothing is missed while nobody watches.
 */
export class TriggerWatch {
  readonly #options: TriggerWatchOptions;
  readonly #marks = new Map<TriggerEvent, number>();
  readonly #pending = new Map<string, { mark: number; changedAt: number; since: number }>();

  constructor(options: TriggerWatchOptions) {
    this.#options = options;
  }

  /** Such an event has become true: the next check looks into it. */
  heard(event: TriggerEvent): void {
    this.#marks.delete(event);
  }

  /** Starts what is triggered; answers in how long (milliseconds) to check again, if it knows. */
  check(): Promise<number | undefined> {
    return this.#options.turns.take(async () => {
      const timings = await this.#options.timings();
      if (timings === undefined) return undefined;
      const states = await starterStates(this.#options.starters);
      await this.#forgetOthers(timings, states);
      const waits: number[] = [];
      for (const [policy, { triggers }] of timings) {
        const isDisabled = states.get(starterKey(policy, scheduleStarter))?.disabled !== undefined;
        for (const trigger of triggers) {
          const stored = states.get(starterKey(policy, triggerName(trigger)));
          const seen = { policy, stored, isDisabled, now: this.#options.now() };
          const runs = await this.#options.runs();
          const wait =
            trigger.kind === "usage"
              ? await this.#checkUsage({ ...seen, runs, trigger })
              : await this.#checkEvent({ ...seen, runs, trigger });
          if (wait !== undefined) waits.push(wait);
        }
      }
      return waits.length === 0 ? undefined : Math.max(0, Math.min(...waits));
    });
  }

  async #checkUsage(watched: Watched<UsageTrigger>): Promise<number | undefined> {
    const { trigger, stored, now, runs } = watched;
    const backend = (await this.#options.backends()).find(({ name }) => name === trigger.backend);
    if (backend?.capacityBytes === undefined) return undefined;
    const known = stateOf(stored, JSON.stringify(trigger), "");
    const usage = backend.usedBytes / backend.capacityBytes;
    const isActive = isUsageActive(trigger, usage, known.active ?? false);
    const { active: _was, ...rest } = known;
    const state = isActive ? { ...rest, active: true } : rest;
    const lastRun = runs.find(({ id }) => id === state.last?.runId);
    const tries = (lastRun?.progress.done ?? 0) > 0 ? 0 : (state.tries ?? 0);
    if (isActive) {
      const waitMs = fruitlessWait(state.last, tries, now);
      if (waitMs > 0) {
        await this.#put(watched, state);
        return waitMs;
      }
    }
    if (!isActive || !(await this.#mayStart(watched))) {
      await this.#put(watched, state);
      return undefined;
    }
    const bytes = bytesAboveLowMark(trigger, backend.usedBytes, backend.capacityBytes);
    const scope = { ...scopeOf(watched), free: { backend: backend.id, bytes } };
    const why =
      `${backend.name} is ${percentText(usage)} full: ${formatSize(bytes)} have to go ` +
      `until it is at ${percentText(trigger.until)}`;
    const firing = await this.#start(watched, scope, why);
    await this.#put(watched, { ...state, last: firing, tries: tries + 1 }, firing);
    return undefined;
  }

  async #checkEvent(watched: Watched<EventTrigger>): Promise<number | undefined> {
    const { policy, trigger, stored, now } = watched;
    const mark = await this.#mark(trigger.event);
    const state = stateOf(stored, trigger.event, String(mark));
    const { active: _was, ...quiet } = state;
    const key = starterKey(policy, trigger.event);
    if (Number(state.cursor) >= mark || watched.isDisabled) {
      this.#pending.delete(key);
      await this.#put(watched, { ...quiet, cursor: String(mark) });
      return undefined;
    }
    const waitMs = this.#quietIn(key, mark, state.last, now);
    if (waitMs > 0 || !(await this.#mayStart(watched))) {
      await this.#put(watched, { ...state, active: true });
      return waitMs > 0 ? waitMs : undefined;
    }
    this.#pending.delete(key);
    const why = await this.#eventText(trigger.event, Number(state.cursor), mark);
    const firing = await this.#start(watched, scopeOf(watched), why);
    await this.#put(watched, { ...quiet, cursor: String(mark), last: firing }, firing);
    return undefined;
  }

  /** How long until what is pending has been followed by quiet, or is old enough. */
  #quietIn(key: string, mark: number, last: Firing | undefined, now: Date): number {
    const at = now.getTime();
    const known = this.#pending.get(key) ?? { mark, changedAt: at, since: at };
    const pending = known.mark === mark ? known : { ...known, mark, changedAt: at };
    this.#pending.set(key, pending);
    const quietAt = Math.min(pending.changedAt + eventQuietMs, pending.since + eventPendingMaxMs);
    const gapOver = last === undefined ? 0 : Date.parse(last.at) + eventGapMs;
    return Math.max(quietAt, gapOver) - at;
  }

  async #mayStart({ policy, runs, isDisabled }: Watched<Trigger>): Promise<boolean> {
    if (isDisabled || activeRun(runs, policy) !== undefined) return false;
    return (await suspensionOf(this.#options, policy)) === undefined;
  }

  async #start({ policy, trigger, now }: Watched<Trigger>, scope: PolicyScope, why: string) {
    const origin = triggerOrigin(policy, triggerName(trigger));
    const { message, ...result } = await this.#options.start(scope, origin);
    const at = now.toISOString();
    const said = message === undefined ? why : `${why}; ${message}`;
    return { occurrence: at, at, ...result, message: said } satisfies Firing;
  }

  async #mark(event: TriggerEvent): Promise<number> {
    const known = this.#marks.get(event);
    if (known !== undefined) return known;
    const mark = await this.#options.mark(event);
    this.#marks.set(event, mark);
    return mark;
  }

  async #eventText(event: TriggerEvent, from: number, to: number): Promise<string> {
    if (event === "object-added") return `${to - from} objects were added`;
    if (event === "copy-lost") return "copies were found absent or corrupt";
    const added = (await this.#options.backends()).filter(({ id }) => id > from);
    return `backends were added: ${added.map(({ name }) => name).join(", ")}`;
  }

  async #put(watched: Watched<Trigger>, state: StarterState, firing?: Firing): Promise<void> {
    if (JSON.stringify(state) === JSON.stringify(watched.stored)) return;
    const starter = { policy: watched.policy, name: triggerName(watched.trigger), state };
    const notes = firing === undefined ? [] : [firingNote(firing)];
    await this.#options.starters.put(starter, notes, watched.now);
  }

  async #forgetOthers(
    timings: PolicyTimings,
    states: ReadonlyMap<string, StarterState>,
  ): Promise<void> {
    for (const key of states.keys()) {
      const [policy = "", name = ""] = key.split("\n");
      if (name === scheduleStarter) continue;
      const own = timings.get(policy)?.triggers ?? [];
      if (own.some((trigger) => triggerName(trigger) === name)) continue;
      await this.#options.starters.forget({ policy, name });
    }
  }
}

/** What a trigger starts: its policy, within its limits. */
function scopeOf({ policy, trigger }: Watched<Trigger>): PolicyScope {
  const { limits } = trigger;
  if (limits === undefined) return { policy };
  return { policy, limits: { of: `trigger ${triggerName(trigger)}`, limits } };
}

/** A trigger that is new, or was changed, begins now. */
function stateOf(stored: StarterState | undefined, identity: string, cursor: string): StarterState {
  return stored?.identity === identity ? stored : { identity, cursor, missed: 0 };
}

function fruitlessWait(last: Firing | undefined, tries: number, now: Date): number {
  if (last === undefined || tries === 0) return 0;
  const waitMs = Math.min(fruitlessWaitMs * 2 ** (tries - 1), fruitlessWaitMaxMs);
  return Date.parse(last.at) + waitMs - now.getTime();
}

function percentText(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}
