import { Redis } from "ioredis";
import { Client } from "pg";

const everyMs = 100;

interface Gauge {
  readonly bytes: () => Promise<number>;
  readonly close: () => Promise<unknown>;
}

/** The most that a queue store needs beyond what it needs empty: Redis memory, table sizes. */
export class QueueMemory implements AsyncDisposable {
  most = 0;
  readonly #gauge: Gauge;
  readonly #empty: number;
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void> | undefined;

  private constructor(gauge: Gauge, empty: number) {
    this.#gauge = gauge;
    this.#empty = empty;
    this.#timer = setInterval(() => {
      this.#looking ??= this.#look().finally(() => {
        this.#looking = undefined;
      });
    }, everyMs);
  }

  static async watch(url: string, namespace: string): Promise<QueueMemory> {
    const gauge = url.startsWith("redis") ? redisGauge(url) : await postgresGauge(url, namespace);
    return new QueueMemory(gauge, await gauge.bytes());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
    await this.#gauge.close();
  }

  async #look(): Promise<void> {
    this.most = Math.max(this.most, (await this.#gauge.bytes()) - this.#empty);
  }
}

function redisGauge(url: string): Gauge {
  const redis = new Redis(url);
  return {
    bytes: async () => Number(/used_memory:(\d+)/.exec(await redis.info("memory"))?.[1]),
    close: () => redis.quit(),
  };
}

async function postgresGauge(url: string, schema: string): Promise<Gauge> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const text = `SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) AS bytes
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relkind = 'r'`;
  return {
    bytes: async () =>
      Number((await client.query<{ bytes: string }>(text, [schema])).rows[0]?.bytes),
    close: () => client.end(),
  };
}
