import type { FlowProducer, Queue, Worker } from "bullmq";
import type { LeaseStore } from "#jobs/lease/lease-store.ts";
import { EngineError } from "#model/engine-error.ts";

const closeTimeoutMs = 5_000;
/** Nobody is there to say goodbye to. */
const goneTimeoutMs = 250;

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

  /** One of those that are open. */
  get anyWorker(): Worker | undefined {
    const [worker] = this.#workers;
    return worker;
  }

  worker<W extends Worker>(worker: W): W {
    // Without a listener, an error event would end the process.
    worker.on("error", this.#report);
    worker.on("closed", () => this.#workers.delete(worker));
    this.#workers.add(worker);
    return worker;
  }

  /** Closes everything; a server that is gone is not waited for. */
  async close(answers: () => Promise<boolean>): Promise<void> {
    const limitMs = (await answers()) ? closeTimeoutMs : goneTimeoutMs;
    await inTime(
      [...this.#workers].map((worker) => worker.close()),
      limitMs,
    );
    const producers = this.#flows === undefined ? [] : [this.#flows.close()];
    if (this.#lease !== undefined) producers.push(this.#lease.close());
    // Connections that still say goodbye while their server stops are no news to anyone.
    this.#closed = true;
    const queues = [...this.#queues.values()].map((queue) => queue.close());
    await inTime([...queues, ...producers], limitMs);
  }

  readonly #report = (error: unknown): void => {
    if (!this.#closed) this.#onError(EngineError.from(error, "UNAVAILABLE"));
  };
}

/** A server that is gone must not keep us from ending. */
async function inTime(closings: readonly Promise<unknown>[], limitMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, limitMs);
  await Promise.race([Promise.allSettled(closings), promise]);
  clearTimeout(timer);
}
