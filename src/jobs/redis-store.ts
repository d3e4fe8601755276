import { FlowProducer, Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import { setTimeout as sleep } from "node:timers/promises";
import { EngineError } from "#model/engine-error.ts";
import { noTracing } from "#model/tracing.ts";
import { askRedis } from "#jobs/ask-redis.ts";
import { openRedisLeaseStore } from "#jobs/lease/redis-lease-store.ts";
import {
  hidePassword,
  queueOptions,
  telemetryOf,
  type QueueStore,
  type QueueTelemetry,
} from "#jobs/queue-store.ts";
import { toldTime, untoldTime } from "#jobs/server-time.ts";
import { StoreParts } from "#jobs/store-parts.ts";

const connectTimeoutMs = 3_000;
const answerTimeoutMs = 2_000;
const reconnectDelayMaxMs = 2_000;

interface RedisStoreOptions {
  readonly namespace: string;
  readonly onError: (error: EngineError) => void;
  readonly telemetry?: QueueTelemetry | undefined;
}

/** Queues on Redis or Valkey. */
export async function openRedisStore(url: string, options: RedisStoreOptions): Promise<QueueStore> {
  await probe(url);
  const connection = new Redis(url, {
    // Commands wait for a reconnection instead of failing; workers need that (BullMQ).
    maxRetriesPerRequest: null,
    connectTimeout: connectTimeoutMs,
    retryStrategy: (times) => Math.min(50 * 2 ** times, reconnectDelayMaxMs),
  });
  const parts = new StoreParts(options.onError);
  connection.on("error", (error) => {
    options.onError(EngineError.from(error, "UNAVAILABLE"));
  });
  const answers = () => doesAnswer(connection);
  // The braces keep all keys in one slot of a Redis Cluster.
  const prefix = `{${options.namespace}}`;
  const server = { connection, prefix, ...telemetryOf(options.telemetry) };
  return {
    kind: "redis",
    address: hidePassword(url),
    queue: (name) => parts.queue(name, () => new Queue(name, { ...queueOptions, ...server })),
    worker: (name, processor, workerOptions) =>
      parts.worker(new Worker(name, processor, { ...workerOptions, ...server })),
    flows: () => parts.flows(() => new FlowProducer(server)),
    tracing: options.telemetry?.tracing ?? noTracing,
    lost: async (queue, ids) => new Set(await lostJobs(connection, `${prefix}:${queue}`, ids)),
    lease: () => parts.lease(() => openRedisLeaseStore(url, { prefix, onError: options.onError })),
    time: () => serverTime(connection),
    answers,
    close: async () => {
      await parts.close(answers);
      connection.disconnect();
    },
  };
}

/** Milliseconds since 1970, as `QueueStore.time` tells them. */
export async function serverTime(client: Redis): Promise<number> {
  try {
    const [seconds, micros] = await client.time();
    return toldTime(Number(seconds) * 1_000 + Number(micros) / 1_000);
  } catch (cause) {
    throw untoldTime(cause);
  }
}

/** Asks for all at once: a job that ends between two looks would seem to have lost its worker. */
async function lostJobs(
  connection: Redis,
  queue: string,
  ids: readonly string[],
): Promise<readonly string[]> {
  if (ids.length === 0) return [];
  const keys = [`${queue}:active`, ...ids.map((id) => `${queue}:${id}:lock`)];
  const found = (await connection.eval(lostScript, keys.length, ...keys, ...ids)) as string[];
  return found;
}

// The server itself ends locks, on its own clock.
const lostScript = `
  local active = {}
  for _, id in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do active[id] = true end
  local lost = {}
  for at, id in ipairs(ARGV) do
    if active[id] and redis.call('EXISTS', KEYS[at + 1]) == 0 then table.insert(lost, id) end
  end
  return lost`;

/** A connection that is being made anew has nobody at its other end. */
async function doesAnswer(connection: Redis): Promise<boolean> {
  if (connection.status !== "ready") return false;
  const pause = new AbortController();
  const late = sleep(answerTimeoutMs, false, { signal: pause.signal }).catch(() => false);
  const pong = connection.ping().then(
    () => true,
    () => false,
  );
  const isThere = await Promise.race([pong, late]);
  pause.abort();
  return isThere;
}

/** Fails soon and clearly where the long-lived connection would try for ever. */
async function probe(url: string): Promise<void> {
  try {
    await askRedis(url, (client) => client.ping());
  } catch (error) {
    const { message } = EngineError.from(error);
    const denied = /NOAUTH|WRONGPASS/.test(message);
    throw new EngineError(
      denied ? "UNAUTHENTICATED" : "UNAVAILABLE",
      `the queue at ${hidePassword(url)} does not answer: ${message}`,
      { cause: error, hint: "check queue.url and that the server runs and is reachable" },
    );
  }
}
