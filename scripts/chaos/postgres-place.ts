import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, DatabaseError } from "pg";
import { initialiseCluster } from "#jobs/postgres-cluster.ts";
import { freePort, type ServerProcess, startServer } from "../services/server-process.ts";
import type { QueuePlace } from "./queue-place.ts";
import { TcpProxy } from "./tcp-proxy.ts";

const startAttemptsMax = 10;
const truncateAttemptsMax = 10;
/** PostgreSQL, appendix A: SQLSTATE of a deadlock. */
const deadlockDetected = "40P01";

/** A PostgreSQL server of its own, from the binaries of the embedded one, as if external. */
export async function postgresPlace(folder: string): Promise<QueuePlace> {
  const data = join(folder, "postgres");
  await mkdir(data, { recursive: true });
  const cluster = await initialiseCluster(data);
  const port = await freePort();
  const link = await TcpProxy.open(() => port);
  const urlAt = (at: number) =>
    `postgres://thermocline:${cluster.password}@127.0.0.1:${at}/postgres`;
  let server: ServerProcess | undefined;
  const settings = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=300",
  ];
  const args = ["-D", cluster.dataDirectory, "-p", String(port)];
  for (const setting of settings) args.push("-c", setting);
  const stop = async (how: "kill" | "clean"): Promise<void> => {
    await (how === "kill" ? server?.kill() : server?.stop());
    server = undefined;
  };
  return {
    kind: "postgres",
    url: urlAt(link.port),
    link,
    directUrl: async () => (server === undefined ? undefined : urlAt(port)),
    start: async () => {
      for (let attempt = 1; server === undefined; attempt += 1) {
        server = await startServer(cluster.postgres, args, {
          folder: cluster.directory,
          environment: { LC_ALL: "C", TZ: "UTC" },
          user: cluster.user,
          // Fast shutdown: the sessions of the nodes do not hold it up.
          stopSignal: "SIGINT",
          answers: () => postgresAnswers(urlAt(port)),
        }).catch(async (error: unknown) => {
          // After a kill -9 its children hold the shared memory for a moment longer.
          if (attempt >= startAttemptsMax) throw error;
          await sleep(500);
          return undefined;
        });
      }
    },
    stop,
    loseData: () => emptyPostgres(urlAt(port)),
    abandon: () => server?.abandon(),
    close: async () => {
      await link.close();
      await stop("clean");
      await rm(cluster.directory, { recursive: true, force: true });
    },
  };
}

/** Empties every table of the queues; the schema stays, as after a restore of an old backup. */
export async function emptyPostgres(url: string): Promise<void> {
  await withClient(url, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
       WHERE schemaname = 'thermocline' AND tablename NOT LIKE '%migration%'`,
    );
    if (rows.length === 0) return;
    const truncate = `TRUNCATE ${rows.map((row) => row.name).join(", ")}`;
    for (let attempt = 1; ; attempt += 1) {
      try {
        await client.query(truncate);
        return;
      } catch (error) {
        // The nodes go on working: where they wait for us and we for them, the server picks one.
        const isDeadlock = error instanceof DatabaseError && error.code === deadlockDetected;
        if (!isDeadlock || attempt >= truncateAttemptsMax) throw error;
      }
    }
  });
}

/** Whether a PostgreSQL server accepts sessions. */
export async function postgresAnswers(url: string): Promise<boolean> {
  await withClient(url, (client) => client.query("SELECT 1"));
  return true;
}

async function withClient(url: string, use: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
