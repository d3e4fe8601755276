import { randomUUID } from "node:crypto";
import type { EngineEvents } from "#engine/events.ts";
import { engineEventTypes, type ToldEvent } from "#model/engine-event.ts";

/** So many events are kept for those who come back after a broken connection. */
const keptMax = 1_000;
/** Who reads slower than this is told to begin anew, instead of filling our memory. */
const pendingMax = 1_000;

/** What happens, numbered, for those who watch from outside. */
export class EventFeed {
  /** Numbers mean nothing to another process, and to this one after a restart. */
  readonly #series = randomUUID().slice(0, 8);
  readonly #now: () => Date;
  readonly #kept: ToldEvent[] = [];
  readonly #watchers = new Set<Watcher>();
  #count = 0;

  constructor(events: EngineEvents, now: () => Date) {
    this.#now = now;
    for (const type of engineEventTypes) events.on(type, (event) => this.#tell(event));
  }

  /**
   * Events from now on, or those after the one with that id. When they are not known any more,
   * the first is `reset`. Ends when the feed is closed or the reader stops.
   */
  after(id?: string): AsyncIterableIterator<ToldEvent> {
    const watcher = new Watcher(
      () => this.#told({ type: "reset" }),
      () => this.#watchers.delete(watcher),
    );
    for (const event of this.#missed(id)) watcher.push(event);
    this.#watchers.add(watcher);
    return watcher;
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.end();
  }

  #missed(id: string | undefined): readonly ToldEvent[] {
    if (id === undefined || id === this.#id()) return [];
    const known = this.#kept.findIndex((event) => event.id === id);
    return known === -1 ? [this.#told({ type: "reset" })] : this.#kept.slice(known + 1);
  }

  #tell(event: ToldEvent["event"]): void {
    this.#count += 1;
    const told = this.#told(event);
    this.#kept.push(told);
    if (this.#kept.length > keptMax) this.#kept.shift();
    for (const watcher of this.#watchers) watcher.push(told);
  }

  #told(event: ToldEvent["event"]): ToldEvent {
    return { id: this.#id(), at: this.#now().toISOString(), event };
  }

  #id(): string {
    return `${this.#series}-${this.#count}`;
  }
}

/** One who watches: a short queue of what it has not read yet. */
class Watcher implements AsyncIterableIterator<ToldEvent> {
  readonly #reset: () => ToldEvent;
  readonly #onEnd: () => void;
  #pending: ToldEvent[] = [];
  #waiting: ((result: IteratorResult<ToldEvent>) => void) | undefined;
  #ended = false;

  constructor(reset: () => ToldEvent, onEnd: () => void) {
    this.#reset = reset;
    this.#onEnd = onEnd;
  }

  push(event: ToldEvent): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) waiting({ done: false, value: event });
    else if (this.#pending.length < pendingMax) this.#pending.push(event);
    else this.#pending = [this.#reset()];
  }

  end(): void {
    this.#ended = true;
    this.#onEnd();
    this.#waiting?.({ done: true, value: undefined });
    this.#waiting = undefined;
  }

  async next(): Promise<IteratorResult<ToldEvent>> {
    const value = this.#pending.shift();
    if (value !== undefined) return { done: false, value };
    if (this.#ended) return { done: true, value: undefined };
    const { promise, resolve } = Promise.withResolvers<IteratorResult<ToldEvent>>();
    this.#waiting = resolve;
    return promise;
  }

  async return(): Promise<IteratorResult<ToldEvent>> {
    this.#pending = [];
    this.end();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
