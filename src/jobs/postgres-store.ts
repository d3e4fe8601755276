import { FlowProducer, Queue, runMigrations, Worker } from "bullmq";
import type { PostgresQueueBackend, Processor } from "bullmq";
import { Client } from "pg";
import { clocksAgreeWithinMs } from "#model/clock-difference.ts";
import { EngineError } from "#model/engine-error.ts";
import { noTracing } from "#model/tracing.ts";
import { leaseTable, openPostgresLeaseStore } from "#jobs/lease/postgres-lease-store.ts";
import {
  hidePassword,
  queueOptions,
  telemetryOf,
  type LaneWorkerOptions,
  type QueueStore,
  type QueueTelemetry,
} from "#jobs/queue-store.ts";
import { CalmClient, patientPostgresBackend } from "#jobs/patient-postgres.ts";
import { postgresTime, toldTime, untoldTime } from "#jobs/server-time.ts";
import { StoreParts } from "#jobs/store-parts.ts";

const connectTimeoutMs = 3_000;
const answerTimeoutMs = 2_000;
/** Also bounds the wait for a free connection of a pool, on a machine with much else to do. */
const poolTimeoutMs = 20_000;
/** Pools are per queue, worker and producer: small ones, or many lanes exhaust the server. */
const producerConnectionsMax = 1;
const workerConnectionsMax = 2;

interface PostgresStoreOptions {
  readonly namespace: string;
  readonly onError: (error: EngineError) => void;
  readonly telemetry?: QueueTelemetry | undefined;
  /** Called last: lets go of the server itself. */
  readonly release: () => Promise<void>;
}

/** Queues on PostgreSQL, in a schema of their own. */
export async function openPostgresStore(
  url: string,
  options: PostgresStoreOptions,
): Promise<QueueStore> {
  await migrate(url, options).catch(async (error: unknown) => {
    await options.release();
    throw error;
  });
  const parts = new StoreParts(options.onError);
  const connection = (max: number) => ({
    connectionString: url,
    connectionTimeoutMillis: poolTimeoutMs,
    schema: options.namespace,
    Client: CalmClient,
    max,
  });
  const telemetry = telemetryOf(options.telemetry);
  const producer = { connection: connection(producerConnectionsMax), ...telemetry };
  // BullMQ's classes carry their kind of server in their type; the store hides which it is.
  const queueOf = (name: string): Queue =>
    parts.queue(name, () => {
      const made = new Queue(name, { ...queueOptions, ...producer }, patientPostgresBackend);
      return made as unknown as Queue;
    });
  return {
    kind: "postgresql",
    address: hidePassword(url),
    queue: queueOf,
    worker: <Data, Result>(
      name: string,
      processor: Processor<Data, Result>,
      workerOptions: LaneWorkerOptions,
    ) => {
      const settings = {
        ...workerOptions,
        connection: connection(workerConnectionsMax),
        ...telemetry,
      };
      const made = new Worker(name, processor, settings, patientPostgresBackend);
      return parts.worker(made as unknown as Worker<Data, Result>);
    },
    flows: () =>
      parts.flows(
        () => new FlowProducer(producer, patientPostgresBackend) as unknown as FlowProducer,
      ),
    tracing: options.telemetry?.tracing ?? noTracing,
    lost: async (queue, ids) => new Set(await lostJobs(queueOf(queue), ids)),
    lease: () =>
      parts.lease(() => {
        const { namespace: schema, onError } = options;
        return openPostgresLeaseStore(url, { schema, onError });
      }),
    time: () => timeOf(parts.anyWorker),
    answers: () => doesAnswer(url),
    close: async () => {
      await parts.close(() => doesAnswer(url));
      await options.release();
    },
  };
}

/**
 * Locks end at a time that their workers write by their own clocks, and other workers read by
 * theirs: what ran out by more than clocks may differ has run out for all of them.
 */
async function lostJobs(queue: Queue, ids: readonly string[]): Promise<readonly string[]> {
  if (ids.length === 0) return [];
  await queue.waitUntilReady();
  const text = `SELECT id FROM job WHERE queue = $1 AND id = ANY($2::text[])
    AND state = 'active' AND locked_until_ms < $3::bigint`;
  const values = [queue.name, [...ids], Date.now() - clocksAgreeWithinMs];
  const { rows } = await poolOf(queue).query<{ id: string }>(text, values);
  return rows.map(({ id }) => id);
}

/** The connections of a queue or a worker; BullMQ hides their kind. */
function poolOf(owner: { readonly backend: unknown }): PostgresQueueBackend["connection"]["pool"] {
  return (owner.backend as PostgresQueueBackend).connection.pool;
}

/** Whoever asks has a worker: its connections are there already. */
async function timeOf(worker: Worker | undefined): Promise<number> {
  try {
    if (worker === undefined) throw new Error("this store has no worker to ask it by");
    await worker.waitUntilReady();
    const { rows } = await poolOf(worker).query<{ ms: number }>(postgresTime);
    return toldTime(rows[0]?.ms);
  } catch (cause) {
    throw untoldTime(cause);
  }
}

/** Asked on a connection of its own: those of the pools may all be in use. */
async function doesAnswer(url: string): Promise<boolean> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: answerTimeoutMs,
    query_timeout: answerTimeoutMs,
  });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query("SELECT 1");
    return true;
  } catch (error) {
    // Full, or too busy: it is there.
    return error instanceof Error && "code" in error && String(error.code).startsWith("53");
  } finally {
    // Its farewell is not waited for: nobody may be there to hear it.
    void client.end().catch(() => undefined);
  }
}

/** Also the first contact: an unreachable or refusing server is reported here. */
async function migrate(url: string, options: PostgresStoreOptions): Promise<void> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: connectTimeoutMs,
    // A server may be set up to forget its last moments; not this one, as nobody would come
    // back to make the tables anew while all processes live.
    options: `-c search_path=${options.namespace} -c synchronous_commit=on`,
  });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await runMigrations(client, options.namespace);
    await client.query(leaseTable);
  } catch (error) {
    const denied = error instanceof Error && "code" in error && String(error.code).startsWith("28");
    throw new EngineError(
      denied ? "UNAUTHENTICATED" : "UNAVAILABLE",
      `the queue at ${hidePassword(url)} does not answer: ${EngineError.from(error).message}`,
      { cause: error, hint: "check queue.url and that the server runs and is reachable" },
    );
  } finally {
    await client.end().catch(() => undefined);
  }
}
