import { Client } from "pg";
import { checkClock } from "#jobs/checks/check-clock.ts";
import { neededConnections } from "#jobs/checks/needed-connections.ts";
import { postgresTime } from "#jobs/server-time.ts";
import type { Check } from "#model/check.ts";
import { EngineError } from "#model/engine-error.ts";

const connectTimeoutMs = 3_000;
const versionMin = 13;
const versionAdvised = 14;

export interface PostgresNeeds {
  readonly namespace: string;
  /** Lanes (backends) of this configuration. */
  readonly lanes: number;
  /** How far clocks may differ. */
  readonly clockSkewMs: number;
}

/** Version, connections, pooling, durability, schema and clock of a PostgreSQL. */
export async function checkPostgres(
  url: string,
  needs: PostgresNeeds,
  now: () => Date,
): Promise<readonly Check[]> {
  const client = await connect(url).catch((error: unknown) => EngineError.from(error));
  if (client instanceof EngineError) return [checkPooler(client)];
  try {
    const facts = await readFacts(client);
    const clock = await checkClock(
      async () => {
        const { rows } = await client.query<{ ms: number }>(postgresTime);
        return rows[0]?.ms ?? 0;
      },
      needs.clockSkewMs,
      now,
    );
    return [
      checkVersion(facts),
      await checkPooling(client, url),
      checkConnections(facts, needs),
      checkDurability(facts),
      await checkSchema(client, needs),
      clock,
    ];
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** As the queue connects: a pooler that does not let settings through refuses this. */
async function connect(url: string, search = "public"): Promise<Client> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: connectTimeoutMs,
    options: `-c search_path=${search}`,
  });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

function checkPooler(error: EngineError): Check {
  if (!error.message.includes("unsupported startup parameter")) throw error;
  return {
    name: "queue pooling",
    state: "failed",
    message: `a connection pooler stands before the server: ${error.message}`,
    ...pooled,
  };
}

const pooled = {
  why: "jobs are announced by LISTEN, and settings belong to a session; both need a connection of their own",
  hint: "name the server itself in queue.url, or a pool of the pooler with pool_mode = session",
} as const;

/**
 * Two clients that are both connected have two backends, unless something between lends them
 * the same one: then a setting or a LISTEN of the one is the other's.
 */
async function checkPooling(client: Client, url: string): Promise<Check> {
  const name = "queue pooling";
  const other = await connect(url);
  try {
    const pids = [await pidOf(client), await pidOf(other), await pidOf(client), await pidOf(other)];
    const isOwn = pids[0] === pids[2] && pids[1] === pids[3] && pids[0] !== pids[1];
    if (isOwn) return { name, state: "ok", message: "each connection is a session of its own" };
    const message = "a connection pooler lends the same sessions to several clients";
    return { name, state: "failed", message, ...pooled };
  } finally {
    await other.end().catch(() => undefined);
  }
}

async function pidOf(client: Client): Promise<number | undefined> {
  const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  return rows[0]?.pid;
}

interface Facts {
  readonly version: string;
  readonly number: number;
  readonly most: number;
  readonly reserved: number;
  readonly used: number;
  readonly synchronous: string;
  readonly fsync: string;
}

async function readFacts(client: Client): Promise<Facts> {
  const { rows } = await client.query<Facts>(
    `SELECT current_setting('server_version') AS version,
       current_setting('server_version_num')::int AS number,
       current_setting('max_connections')::int AS most,
       current_setting('superuser_reserved_connections')::int AS reserved,
       (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend'
          AND pid <> pg_backend_pid()) AS used,
       current_setting('synchronous_commit') AS synchronous,
       current_setting('fsync') AS fsync`,
  );
  const [facts] = rows;
  if (facts === undefined) throw new EngineError("INTERNAL", "the server told nothing of itself");
  return facts;
}

function checkVersion({ version, number }: Facts): Check {
  const major = Math.floor(number / 10_000);
  const message = `PostgreSQL ${version}`;
  const name = "queue version";
  if (major >= versionAdvised) return { name, state: "ok", message };
  return {
    name,
    state: major < versionMin ? "failed" : "warn",
    message,
    why: `the queue needs ${versionMin}, and ${versionAdvised} or later is advised`,
    hint: "upgrade the server",
  };
}

function checkConnections({ most, reserved, used }: Facts, { lanes }: PostgresNeeds): Check {
  const name = "queue connections";
  const { controller, worker } = neededConnections(lanes);
  const needed = controller + worker;
  const usable = most - reserved;
  const message =
    `${used} of ${most} in use; ${lanes} lanes need ${controller} for the controller and ` +
    `${worker} for each worker`;
  if (used + needed <= usable) return { name, state: "ok", message };
  return {
    name,
    // Those in use may be our own nodes.
    state: needed > usable ? "failed" : "warn",
    message,
    why: "a node that gets no connection stands still",
    hint: `set max_connections to ${Math.ceil((needed * 2 + reserved) / 50) * 50} or more`,
  };
}

function checkDurability({ synchronous, fsync }: Facts): Check {
  const name = "queue durability";
  const message = `synchronous_commit is ${synchronous}, fsync is ${fsync}`;
  if (fsync === "on") return { name, state: "ok", message };
  return {
    name,
    state: "warn",
    message,
    why: "a crash of the machine may leave a broken database; runs go on from the index even so",
    hint: "set fsync = on; synchronous_commit = off is harmless and faster",
  };
}

/** The queue brings its schema up to date by itself, if it may. */
async function checkSchema(client: Client, { namespace }: PostgresNeeds): Promise<Check> {
  const name = "queue schema";
  const { rows } = await client.query<{ exists: boolean; may: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1) AS exists,
       CASE WHEN EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)
         THEN has_schema_privilege($1, 'CREATE')
         ELSE has_database_privilege(current_database(), 'CREATE') END AS may`,
    [namespace],
  );
  const { exists = false, may = false } = rows[0] ?? {};
  if (may) {
    const message = exists ? `${namespace} is there` : `${namespace} will be made at first use`;
    return { name, state: "ok", message };
  }
  return {
    name,
    state: "failed",
    message: `this user may not ${exists ? "change" : "make"} the schema ${namespace}`,
    why: "the queue keeps its tables there and brings them up to date",
    hint: exists
      ? `GRANT CREATE, USAGE ON SCHEMA ${namespace} TO this user`
      : "GRANT CREATE ON DATABASE to this user, or make the schema for it",
  };
}
