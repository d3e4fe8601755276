import { EngineError } from "#model/engine-error.ts";
import type { Random } from "./random.ts";
import type { OperationFault } from "./scheduler.ts";
import type { Theme } from "./themes.ts";

/** Everything that can go wrong in a simulation, with what it means. */
export const faultKinds = {
  "error-before": "a backend refuses a call with an error and does nothing",
  "error-after": "a backend does what it was asked and answers with an error",
  "late-effect": "a call fails, and its effect happens up to half a minute later",
  slow: "a call takes up to twenty-five seconds",
  "lying-write": "a backend says that it stored bytes and stored none",
  "torn-write": "a backend says that it stored bytes and stored others",
  "lost-write": "a stored copy vanishes later",
  "bit-rot": "a stored copy is damaged",
  "wire-damage": "bytes arrive damaged although the copy is intact",
  "stale-answer": "a backend answers from its state of up to twenty seconds ago",
  outage: "a backend is out for a while",
  "full-backend": "a backend has room for few objects",
  "queue-error": "a call to the queue fails, before or after its effect",
  "queue-lost": "the queue store loses everything",
  "lost-lock": "the lock of an active job vanishes: it is given to a second worker",
  reordering: "jobs are taken in any order",
  "crash-worker": "a worker dies between two effects and is started again",
  "crash-controller": "the controller dies between two effects and is started again",
  freeze: "a process stands still for a while and then goes on",
  "clock-skew": "the clocks of nodes differ by up to forty seconds",
  "clock-jump": "the clock of a node jumps",
  "clock-step": "the clock of the controller is set forward or back by minutes",
  "api-error": "a worker does not reach the controller",
  hold: "somebody holds an object, and releases it again",
  "policy-hold": "a policy begins to protect an object, and ends to",
  "policy-promise": "a policy begins to want copies of an object, after runs were planned",
  cordon: "somebody cordons a backend, which takes no new copies then",
  pause: "somebody pauses a run and resumes it",
  cancel: "somebody cancels a run",
  "import-again": "a backend is listed and compared with the index",
  verify: "somebody has copies verified, and what is found is told late",
  "standing-pause": "somebody pauses a backend, a policy or everything",
  suspend: "a policy is suspended for its errors",
  "hand-in": "somebody imports content anew that may be known, or be deleted just now",
  reads: "somebody reads an object",
} as const;

/** Kinds that came later: seeds that were found before them are drawn without them. */
const later: ReadonlySet<FaultKind> = new Set(["standing-pause", "suspend", "hand-in", "reads"]);
/** Kinds that only themes ask for: drawn for all, they would change every seed that was found. */
const themed: ReadonlySet<FaultKind> = new Set(["clock-step", "policy-promise"]);
/** What some seeds were found without, though it was on the list. */
const onceEmpty: ReadonlySet<FaultKind> = new Set(["cordon", "verify"]);

export type FaultKind = keyof typeof faultKinds;

/** In which kinds the promise is weaker: copies are lost by what the engine cannot know. */
export const damage: ReadonlySet<FaultKind> = new Set([
  "lost-write",
  "bit-rot",
  "torn-write",
  "stale-answer",
]);

/** Effects happen within this: what the waits of a settlement are made for (decision 0010). */
export const lateMaxMs = 30_000;
const slowMaxMs = 25_000;

/** Which faults one schedule has, how often, and how many there were. */
export class Faults {
  readonly enabled: ReadonlySet<FaultKind>;
  readonly counts = new Map<FaultKind, number>();
  readonly #random: Random;
  readonly #rate: number;
  /** After this nothing goes wrong any more, so that everything can come to its end. */
  over = false;

  /** Without `more`, only what there was when the first seeds were found. */
  constructor(
    random: Random,
    forbidden: ReadonlySet<FaultKind>,
    theme: Theme,
    more: Random | undefined,
  ) {
    const kinds = Object.keys(faultKinds) as FaultKind[];
    const first = kinds.filter((kind) => !later.has(kind) && !themed.has(kind));
    // Drawn for all, whatever is forbidden: what is left behaves as before.
    const probability = random.pick([0, 0.15, 0.3, 0.5]);
    const drawn = random.some(first, probability);
    const further = more?.some([...later], probability) ?? [];
    const wanted =
      theme.faults === undefined ? [...drawn, ...further] : random.some(theme.faults, 0.75);
    const empty = (kind: FaultKind) => more === undefined && onceEmpty.has(kind);
    this.enabled = new Set(wanted.filter((kind) => !forbidden.has(kind) && !empty(kind)));
    const rate = random.pick([0.01, 0.05, 0.15, 0.3]);
    this.#rate = theme.rate ?? rate;
    this.#random = random;
  }

  /** Whether a fault of this kind happens here and now. */
  strikes(kind: FaultKind, weight = 1): boolean {
    if (this.over || !this.enabled.has(kind)) return false;
    if (!this.#random.chance(Math.min(0.5, this.#rate * weight))) return false;
    this.count(kind);
    return true;
  }

  count(kind: FaultKind): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
  }

  /** What befalls a call to a backend; removals are hit more often, since they are fewer. */
  ofDriver(what: string): OperationFault | undefined {
    if (this.over) return undefined;
    const weight = what.startsWith("remove") ? 4 : 1;
    if (this.strikes("error-before", weight)) return { before: this.#error() };
    if (this.strikes("error-after", weight)) return { after: this.#error() };
    if (this.strikes("late-effect", weight)) {
      const lateMs = this.#random.next() ** 2 * lateMaxMs;
      const code = this.#random.pick(["TIMEOUT", "UNAVAILABLE"] as const);
      return { abandoned: new EngineError(code, "no answer"), lateMs };
    }
    return this.strikes("slow", weight)
      ? { lateMs: this.#random.next() ** 2 * slowMaxMs }
      : undefined;
  }

  ofQueue(): OperationFault | undefined {
    if (!this.strikes("queue-error")) return undefined;
    const error = new EngineError("UNAVAILABLE", "the connection to the queue was lost");
    return this.#random.chance(0.5) ? { before: error } : { after: error };
  }

  ofApi(): OperationFault | undefined {
    if (!this.strikes("api-error")) return undefined;
    return { before: new EngineError("UNAVAILABLE", "the controller does not answer") };
  }

  #error(): EngineError {
    const retryable = ["UNAVAILABLE", "TIMEOUT", "RATE_LIMITED", "CONFLICT"] as const;
    const final = ["FORBIDDEN", "INTERNAL", "NOT_SUPPORTED"] as const;
    const code = this.#random.pick(this.#random.chance(0.8) ? retryable : final);
    const slowDown = code === "RATE_LIMITED" && this.#random.chance(0.3);
    const options = slowDown ? { retryAfterMs: this.#random.below(20_000) } : {};
    return new EngineError(code, `injected ${code}`, options);
  }
}
