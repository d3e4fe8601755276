import type { FlowProducer, Queue, Worker } from "bullmq";
import type { LeaseStore } from "#jobs/lease/lease-store.ts";
import { EngineError } from "#model/engine-error.ts";

const closeTimeoutMs = 5_000;

/** What a store has opened so far: made once per name, closed together in the right order. */
export class StoreParts {
  readonly #queues = new Map<string, Queue>();
  readonly #workers = new Set<Worker>();
  readonly #onError: (error: EngineError) => void;
  #flows: FlowProducer | undefined;
  #lease: LeaseStore | undefined;
  #closed = false;

  constructor(onError: (error: EngineError) => void) {
    this.#onError = onError;
  }

  queue(name: string, make: () => Queue): Queue {
    const known = this.#queues.get(name);
    if (known !== undefined) return known;
    const queue = make();
    queue.on("error", this.#report);
    this.#queues.set(name, queue);
    return queue;
  }

  flows(make: () => FlowProducer): FlowProducer {
    if (this.#flows === undefined) {
      this.#flows = make();
      this.#flows.on("error", this.#report);
    }
    return this.#flows;
  }

  lease(open: () => LeaseStore): LeaseStore {
    this.#lease ??= open();
    return this.#lease;
  }

  worker<W extends Worker>(worker: W): W {
    // Without a listener, an error event would end the process.
    worker.on("error", this.#report);
    worker.on("closed", () => this.#workers.delete(worker));
    this.#workers.add(worker);
    return worker;
  }

  async close(): Promise<void> {
    await inTime([...this.#workers].map((worker) => worker.close()));
    const producers = this.#flows === undefined ? [] : [this.#flows.close()];
    if (this.#lease !== undefined) producers.push(this.#lease.close());
    // Connections that still say goodbye while their server stops are no news to anyone.
    this.#closed = true;
    await inTime([...[...this.#queues.values()].map((queue) => queue.close()), ...producers]);
  }

  readonly #report = (error: unknown): void => {
    if (!this.#closed) this.#onError(EngineError.from(error, "UNAVAILABLE"));
  };
}

/** A server that is gone must not keep us from ending. */
async function inTime(closings: readonly Promise<unknown>[]): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, closeTimeoutMs);
  await Promise.race([Promise.allSettled(closings), promise]);
  clearTimeout(timer);
}
