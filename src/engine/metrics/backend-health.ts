import type { BackendPool } from "#engine/backend-pool.ts";
import type { BackendStatus } from "#model/driver.ts";

/** A scrape must not wait for a backend that hangs. */
const patienceMs = 3_000;
/** Scrapes come every few seconds, and asking a service may cost money. */
const freshForMs = 15_000;

/** What each backend said of itself a moment ago; a reason in words when it did not answer. */
export class BackendHealth {
  readonly #pool: BackendPool;
  readonly #known = new Map<string, { readonly at: number; readonly status: Answer }>();

  constructor(pool: BackendPool) {
    this.#pool = pool;
  }

  /** Asks those backends of which nothing recent is known. */
  async all(now: Date): Promise<ReadonlyMap<string, BackendStatus | string>> {
    const names = this.#pool.names;
    const statuses = await Promise.all(names.map((name) => this.#status(name, now.getTime())));
    return new Map(names.map((name, at) => [name, statuses[at] ?? "unknown"]));
  }

  #status(name: string, now: number): Answer {
    const known = this.#known.get(name);
    if (known !== undefined && now - known.at < freshForMs) return known.status;
    const status = inTime(this.#pool.status(name));
    this.#known.set(name, { at: now, status });
    return status;
  }
}

type Answer = Promise<BackendStatus | string>;

async function inTime(answer: Answer): Answer {
  const { promise, resolve } = Promise.withResolvers<string>();
  const timer = setTimeout(resolve, patienceMs, `no answer in ${patienceMs / 1_000} s`);
  try {
    return await Promise.race([answer, promise]);
  } finally {
    clearTimeout(timer);
  }
}
