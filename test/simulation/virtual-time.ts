import { syncBuiltinESMExports } from "node:module";
import timersPromises from "node:timers/promises";
import type { Scheduler } from "./scheduler.ts";
import type { SimulationEvent } from "./event-heap.ts";

/** The moment at which every simulation begins. */
export const simulationStart = new Date("2026-01-01T00:00:00Z");

const RealDate = Date;

/** What the clock of a node shows after so many milliseconds. */
export function wallTime(afterMs: number, node: { readonly skewMs: number } | undefined): Date {
  return new RealDate(simulationStart.getTime() + Math.round(afterMs + (node?.skewMs ?? 0)));
}

/**
 * Puts the whole process on virtual time until it is disposed of: dates, timers, deadlines and
 * chance come from the scheduler, each node reading its own wrong clock. The engine's code runs
 * as it is, also what reads a clock nobody injected.
 */
export function virtualTime(scheduler: Scheduler, random: () => number): Disposable {
  const wall = () => wallTime(scheduler.now, scheduler.node).getTime();
  const undo: (() => void)[] = [];
  const replace = <Owner extends object>(owner: Owner, name: keyof Owner, value: unknown): void => {
    const before = Object.getOwnPropertyDescriptor(owner, name);
    Object.defineProperty(owner, name, { value, configurable: true, writable: true });
    undo.push(() => {
      if (before === undefined) Reflect.deleteProperty(owner, name);
      else Object.defineProperty(owner, name, before);
    });
  };
  replace(globalThis, "Date", dateReading(wall));
  replace(performance, "now", () => scheduler.now);
  replace(Math, "random", random);
  replace(globalThis, "setTimeout", (callback: () => void, ms = 0) => {
    return new VirtualTimer(scheduler, callback, ms, false);
  });
  replace(globalThis, "setInterval", (callback: () => void, ms = 0) => {
    return new VirtualTimer(scheduler, callback, ms, true);
  });
  replace(globalThis, "clearTimeout", cancel);
  replace(globalThis, "clearInterval", cancel);
  replace(AbortSignal, "timeout", (ms: number) => deadline(scheduler, ms));
  replace(timersPromises, "setTimeout", sleepIn(scheduler));
  syncBuiltinESMExports();
  return {
    [Symbol.dispose]: () => {
      for (const back of undo.toReversed()) back();
      syncBuiltinESMExports();
    },
  };
}

function cancel(timer: unknown): void {
  if (timer instanceof VirtualTimer) timer.cancel();
}

function dateReading(wall: () => number): typeof Date {
  return new Proxy(RealDate, {
    construct: (target, values: readonly unknown[]) =>
      values.length === 0 ? new target(wall()) : (Reflect.construct(target, values) as Date),
    get: (target, name, receiver) =>
      name === "now" ? wall : (Reflect.get(target, name, receiver) as unknown),
  });
}

class VirtualTimer {
  #event: SimulationEvent;
  #cancelled = false;

  constructor(scheduler: Scheduler, callback: () => void, ms: number, again: boolean) {
    const fire = (): void => {
      if (again && !this.#cancelled) this.#event = scheduler.after(Math.max(1, ms), fire);
      callback();
    };
    this.#event = scheduler.after(ms, fire);
  }

  cancel(): void {
    this.#cancelled = true;
    this.#event.cancelled = true;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}

function deadline(scheduler: Scheduler, ms: number): AbortSignal {
  const controller = new AbortController();
  scheduler.after(ms, () => {
    controller.abort(new DOMException("The operation was aborted due to timeout", "TimeoutError"));
  });
  return controller.signal;
}

function sleepIn(scheduler: Scheduler) {
  return async <Value>(
    ms = 0,
    value?: Value,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<Value | undefined> => {
    const { signal } = options;
    const { promise, resolve, reject } = Promise.withResolvers<Value | undefined>();
    const stop = () => {
      event.cancelled = true;
      reject(new DOMException("The operation was aborted", "AbortError"));
    };
    const event = scheduler.after(ms, () => {
      signal?.removeEventListener("abort", stop);
      resolve(value);
    });
    if (signal?.aborted === true) stop();
    else signal?.addEventListener("abort", stop, { once: true });
    return promise;
  };
}
