import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { initialiseCluster } from "#jobs/postgres-cluster.ts";
import { pgbouncer } from "../../scripts/services/pgbouncer.ts";
import { freePort, startServer } from "../../scripts/services/server-process.ts";

export interface PostgresServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** A PostgreSQL of a test's own, with settings of the test's choice. */
export async function startPostgres(
  settings: Readonly<Record<string, string>> = {},
): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), "thermocline-postgres-"));
  // The server runs as a user of its own when we are root.
  await chmod(folder, 0o755);
  const cluster = await initialiseCluster(folder);
  const port = await freePort();
  const url = `postgres://thermocline:${cluster.password}@127.0.0.1:${port}/postgres`;
  const all = { listen_addresses: "127.0.0.1", unix_socket_directories: "", ...settings };
  const flags = Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const server = await startServer(
    cluster.postgres,
    ["-D", cluster.dataDirectory, "-p", String(port), ...flags],
    {
      folder: cluster.directory,
      answers: () => answers(url),
      user: cluster.user,
      stopSignal: "SIGINT",
    },
  );
  return {
    url,
    stop: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
      await rm(cluster.directory, { recursive: true, force: true });
    },
  };
}

/** Why PgBouncer cannot be started here, or undefined. */
export function pgbouncerMissing(): string | undefined {
  const found = pgbouncer.find();
  return found.available ? undefined : `pgbouncer: ${found.reason}`;
}

/** PgBouncer before a server, in the pool mode and with the extra settings of a test. */
export async function startPgbouncer(
  behind: PostgresServer,
  settings: readonly string[],
): Promise<PostgresServer> {
  const found = pgbouncer.find();
  if (!found.available) throw new Error(found.reason);
  const folder = await mkdtemp(join(tmpdir(), "thermocline-pgbouncer-"));
  await chmod(folder, 0o755);
  const port = await freePort();
  const { hostname, port: serverPort, username, password } = new URL(behind.url);
  const server = `host=${hostname} port=${serverPort} user=${username} password=${password}`;
  const lines = [
    "[databases]",
    `postgres = ${server} dbname=postgres`,
    "[pgbouncer]",
    "listen_addr = 127.0.0.1",
    `listen_port = ${port}`,
    "unix_socket_dir =",
    "auth_type = any",
    ...settings,
  ];
  const file = join(folder, "pgbouncer.ini");
  await writeFile(file, `${lines.join("\n")}\n`);
  const url = `postgres://${username}:${password}@127.0.0.1:${port}/postgres`;
  // It refuses to run as root.
  const user = process.getuid?.() === 0 ? ["-u", "nobody"] : [];
  const pooler = await startServer(found.path, [...user, file], {
    folder,
    answers: () => answers(url),
  });
  return {
    url,
    stop: async () => {
      await pooler.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query("SELECT 1");
    return true;
  } finally {
    await client.end().catch(() => undefined);
  }
}
