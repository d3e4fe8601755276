import { setTimeout as sleep } from "node:timers/promises";

/** Wakes a waiting loop; rings while nobody waits are remembered, many count as one. */
export class Bell {
  #rung = Promise.withResolvers<void>();

  ring(): void {
    this.#rung.resolve();
  }

  async wait(atMostMs: number): Promise<void> {
    const timer = new AbortController();
    const late = sleep(atMostMs, undefined, { signal: timer.signal }).catch(() => undefined);
    await Promise.race([this.#rung.promise, late]);
    timer.abort();
    this.#rung = Promise.withResolvers<void>();
  }
}
