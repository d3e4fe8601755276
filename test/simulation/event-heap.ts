/** Something that will happen at a moment of virtual time. */
export interface SimulationEvent {
  at: number;
  /** Decides between events of one moment. */
  readonly turn: number;
  readonly number: number;
  fire(): void | Promise<void>;
  cancelled: boolean;
}

/** Events, the earliest first. */
export class EventHeap {
  readonly #events: SimulationEvent[] = [];

  get size(): number {
    return this.#events.length;
  }

  push(event: SimulationEvent): void {
    const events = this.#events;
    events.push(event);
    let place = events.length - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!this.#swapIfEarlier(place, parent)) return;
      place = parent;
    }
  }

  pop(): SimulationEvent | undefined {
    const events = this.#events;
    const first = events[0];
    const last = events.pop();
    if (first === undefined || last === undefined || events.length === 0) return first;
    events[0] = last;
    let place = 0;
    for (;;) {
      const [left, right] = [2 * place + 1, 2 * place + 2];
      const earlier = right < events.length && this.#isEarlier(right, left) ? right : left;
      if (earlier >= events.length || !this.#swapIfEarlier(earlier, place)) return first;
      place = earlier;
    }
  }

  #swapIfEarlier(place: number, than: number): boolean {
    if (!this.#isEarlier(place, than)) return false;
    const [a, b] = [this.#events[place], this.#events[than]];
    if (a === undefined || b === undefined) return false;
    this.#events[place] = b;
    this.#events[than] = a;
    return true;
  }

  #isEarlier(place: number, than: number): boolean {
    const [a, b] = [this.#events[place], this.#events[than]];
    if (a === undefined || b === undefined) return false;
    if (a.at !== b.at) return a.at < b.at;
    return a.turn === b.turn ? a.number < b.number : a.turn < b.turn;
  }
}
