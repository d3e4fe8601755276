import { AsyncLocalStorage } from "node:async_hooks";
import { EventHeap, type SimulationEvent } from "./event-heap.ts";
import type { Random } from "./random.ts";
import type { SimulatedNode } from "./simulated-node.ts";

/** How a call to something outside the process goes wrong. */
export interface OperationFault {
  /** Thrown instead of doing anything. */
  readonly before?: Error;
  /** Thrown although it was done. */
  readonly after?: Error;
  /** Thrown at once, although it will be done in the end. */
  readonly abandoned?: Error;
  /** It is done so much later than it should be. */
  readonly lateMs?: number;
}

export interface OperationOptions {
  readonly signal?: AbortSignal | undefined;
  readonly fault?: OperationFault | undefined;
  /** What is thrown when the signal stops the call. */
  readonly stopped?: (signal: AbortSignal) => Error;
}

const setImmediateOfNode = setImmediate;

/**
 * Decides what happens next, and when, by the seed alone. Everything a node waits for is an
 * event here: its timers, and the two halves of each call to a backend, the queue or the index
 * (the effect, then the answer). A node that dies loses its events, between any two of them.
 */
export class Scheduler {
  /** Milliseconds of virtual time since the start. */
  now = 0;
  events = 0;
  readonly #heap = new EventHeap();
  readonly #random: Random;
  readonly #latencyMs: readonly [least: number, most: number];
  readonly #trace: string[] | undefined;
  readonly #nodes = new AsyncLocalStorage<SimulatedNode | undefined>();

  constructor(random: Random, latencyMs: readonly [number, number], trace?: string[]) {
    this.#random = random;
    this.#latencyMs = latencyMs;
    this.#trace = trace;
  }

  /** The node in whose code we are; undefined in the world itself. */
  get node(): SimulatedNode | undefined {
    return this.#nodes.getStore();
  }

  /** Runs code as part of a node (or of the world), with all that it starts. */
  as<Result>(node: SimulatedNode | undefined, work: () => Result): Result {
    return this.#nodes.run(node, work);
  }

  /** Adds a line to the trace, if one is kept. */
  note(text: () => string): void {
    if (this.#trace === undefined) return;
    const who = this.node === undefined ? "" : `${this.node.toString()}: `;
    this.#trace.push(`${(this.now / 1_000).toFixed(3).padStart(9)}  ${who}${text()}`);
  }

  /** Lets something happen later, to a node (while it lives and is not frozen) or to the world. */
  after(
    ms: number,
    fire: () => void | Promise<void>,
    node: SimulatedNode | null = this.node ?? null,
  ): SimulationEvent {
    const happen = (): void | Promise<void> => {
      if (node === null) return this.as(undefined, fire);
      if (!node.alive) return undefined;
      if (node.frozenUntil <= this.now) return this.as(node, fire);
      event.at = node.frozenUntil;
      this.#heap.push(event);
      return undefined;
    };
    const event: SimulationEvent = {
      at: this.now + Math.max(0, ms),
      turn: this.#random.below(1_000),
      number: (this.events += 1),
      cancelled: false,
      fire: happen,
    };
    this.#heap.push(event);
    return event;
  }

  /**
   * One call from a node to the world. The effect happens once the request has arrived, whatever
   * became of the caller by then; the answer reaches the caller if it still lives.
   */
  call<Result>(
    what: string,
    effect: () => Result | Promise<Result>,
    options: OperationOptions = {},
  ): Promise<Result> {
    const node = this.node ?? null;
    const { signal, fault } = options;
    const answer = Promise.withResolvers<Result>();
    const survives = this.#random.chance(0.5);
    let answered = false;
    const settle = (act: () => void): void => {
      this.after(
        this.#latency(),
        () => {
          answered = true;
          signal?.removeEventListener("abort", stop);
          act();
        },
        node,
      );
    };
    const stop = (): void => {
      if (answered || signal === undefined) return;
      answered = true;
      this.note(() => `${what}: stopped waiting`);
      answer.reject(options.stopped?.(signal) ?? (signal.reason as Error));
    };
    if (signal?.aborted === true) {
      stop();
      return answer.promise;
    }
    signal?.addEventListener("abort", stop, { once: true });
    const told = (how: string) => {
      this.as(node ?? undefined, () => {
        this.note(() => `${what} ${how}`);
      });
    };
    const fail = (error: unknown) => {
      told(`✗ ${error instanceof Error ? error.message : String(error)}`);
      settle(() => {
        // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- as it was thrown
        answer.reject(error);
      });
    };
    const perform = async (): Promise<void> => {
      // The caller is gone or has given up: its request may have arrived all the same.
      if ((node?.alive === false || answered) && !survives) return;
      try {
        if (fault?.before !== undefined) throw fault.before;
        const result = await this.as(undefined, effect);
        told(`→ ${this.#trace === undefined ? "" : shown(result)}`);
        if (fault?.abandoned !== undefined) return;
        if (fault?.after !== undefined) throw fault.after;
        settle(() => {
          answer.resolve(result);
        });
      } catch (error) {
        if (fault?.abandoned === undefined) fail(error);
      }
    };
    const requestMs = this.#latency();
    if (fault?.abandoned !== undefined) {
      const { abandoned } = fault;
      this.after(requestMs, () => fail(abandoned), null);
    }
    this.after(requestMs + (fault?.lateMs ?? 0), perform, null);
    return answer.promise;
  }

  /** Lets everything happen until `done` says so, or the virtual time is over. */
  async run(untilMs: number, done: () => boolean): Promise<"done" | "time is over"> {
    for (;;) {
      await settled();
      if (done()) return "done";
      const event = this.#heap.pop();
      if (event?.cancelled === true) continue;
      if (event === undefined || event.at > untilMs) {
        if (event !== undefined) this.#heap.push(event);
        this.now = Math.max(this.now, untilMs);
        return "time is over";
      }
      this.now = Math.max(this.now, event.at);
      await event.fire();
    }
  }

  #latency(): number {
    const [least, most] = this.#latencyMs;
    // Mostly short, sometimes long: squares of uniform numbers.
    return least + this.#random.next() ** 3 * (most - least);
  }
}

/** Resolves when every promise that can go on has gone on. */
async function settled(): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediateOfNode(resolve);
  });
}

function shown(value: unknown): string {
  if (value === undefined || value === null || typeof value === "number") return String(value);
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  const text = JSON.stringify(value) ?? "";
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
}
