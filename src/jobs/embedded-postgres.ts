import { createServer } from "node:net";
import { open, readFile, rm, writeFile } from "node:fs/promises";
import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { EngineError } from "#model/engine-error.ts";
import { isServerProcess, stopServer } from "#jobs/server-process.ts";
import { PassingWait, type PassingWaitOptions } from "#jobs/passing-wait.ts";
import { initialiseCluster, type PostgresCluster } from "#jobs/postgres-cluster.ts";

/** A PostgreSQL server of our own in a data directory, shared by its processes. */
export interface EmbeddedPostgres {
  readonly url: string;
  /** Where its files are: the asked folder, or one beside it that its user may enter. */
  readonly directory: string;
  /** Process id of the server. */
  readonly pid: number;
  /** Ends our use of it; whoever is the last to use it stops the server. */
  close(): Promise<void>;
}

const startTimeoutMs = 30_000;
const portAttemptsMax = 8;
/** Its processes know the server's address from their start: it comes back at the same one. */
const portFile = "port";
const reviveEveryMs = 250;
/**
 * Each user of the server shares this advisory lock, until its process ends in whatever way. Who
 * gets it alone was the last one: a standby thus keeps the server that its controller started.
 */
const usersLock = 7_406_412;

/**
 * Opens the server of a data directory: uses the one that runs there already (another process
 * of this installation, or one that outlived a killed owner), else starts it. Never starts a
 * second one on the same directory: PostgreSQL's own lock file decides that race.
 */
export async function openEmbeddedPostgres(
  directory: string,
  options: PassingWaitOptions = {},
): Promise<EmbeddedPostgres> {
  const cluster = await initialiseCluster(directory);
  return new ServerUse(cluster, await findOrStart(cluster, options)).begin(options);
}

async function findOrStart(
  cluster: PostgresCluster,
  options: PassingWaitOptions,
): Promise<RunningServer> {
  const wait = new PassingWait(cluster.directory, options);
  for (let attempt = 1; ;) {
    const running = await awaitServer(cluster, wait);
    if (running !== undefined) return running;
    const failure = await startServer(cluster, await choosePort(cluster, attempt));
    if (failure !== undefined && restOfLast.test(failure)) {
      // Processes of the last server are on their way out; another starts once they are gone.
      if (!wait.goesOn(failure)) throw notStarted(failure, endThem);
      await sleep(reviveEveryMs);
      continue;
    }
    if (failure !== undefined && attempt >= portAttemptsMax) {
      const log = join(cluster.directory, "postgres.log");
      const lastResort =
        "the folder may be deleted as a last resort, because runs go on from the index";
      throw notStarted(failure, `read ${log}; ${lastResort}`);
    }
    attempt += 1;
  }
}

function notStarted(failure: string, hint: string): EngineError {
  return new EngineError("UNAVAILABLE", `the embedded PostgreSQL did not start: ${failure}`, {
    hint,
  });
}

const endThem = "try again in a minute; should they not end, end those processes, then start again";
const restOfLast = /old server processes associated with data directory/;

interface RunningServer {
  readonly pid: number;
  readonly port: number;
}

/**
 * A use of the server by this process. Should the server go away (killed, out of memory), every
 * process that uses it tries to start it again, at the same address, where all find it back.
 */
class ServerUse {
  readonly #cluster: PostgresCluster;
  #server: RunningServer;
  #session: Client | undefined;
  #isClosing = false;
  #reviving: Promise<void> | undefined;

  constructor(cluster: PostgresCluster, server: RunningServer) {
    this.#cluster = cluster;
    this.#server = server;
  }

  async begin(options: PassingWaitOptions): Promise<EmbeddedPostgres> {
    await this.#connect().catch(async () => {
      // It answered a moment ago and went away since: once more, with whatever runs by now.
      this.#server = await findOrStart(this.#cluster, options);
      await this.#connect().catch((error: unknown) => {
        throw EngineError.from(error, "UNAVAILABLE");
      });
    });
    const pid = () => this.#server.pid;
    return {
      url: urlOf(this.#cluster, this.#server.port),
      directory: this.#cluster.directory,
      get pid() {
        return pid();
      },
      close: () => this.#close(),
    };
  }

  /** Holds a session: it says who uses the server, and when the server goes away. */
  async #connect(): Promise<void> {
    const session = new Client({ connectionString: urlOf(this.#cluster, this.#server.port) });
    session.on("error", () => undefined);
    await session.connect();
    await session
      .query("SELECT pg_advisory_lock_shared($1)", [usersLock])
      .catch(async (error: unknown) => {
        await session.end().catch(() => undefined);
        throw error;
      });
    this.#session = session;
    session.once("end", () => {
      if (!this.#isClosing) this.#reviving = this.#revive();
    });
  }

  async #revive(): Promise<void> {
    while (!this.#isClosing) {
      try {
        // It is this loop that is patient: it ends when we close.
        this.#server = await findOrStart(this.#cluster, { patienceMs: 0 });
        return await this.#connect();
      } catch {
        // Another process may be starting it, or recovery takes a moment: tried until it is back.
        await sleep(reviveEveryMs);
      }
    }
  }

  async #close(): Promise<void> {
    this.#isClosing = true;
    await this.#reviving;
    const last = await leave(this.#session).catch(() => this.#isUnused());
    // Until the server goes down we hold the lock of all: who comes now must not take it for good.
    if (last) await stopServer(this.#server.pid);
    await this.#session?.end().catch(() => undefined);
  }

  /** Our session broke with its server: another process may have started a new one meanwhile. */
  async #isUnused(): Promise<boolean> {
    const server = await livingServer(this.#cluster);
    if (typeof server !== "object") return false;
    this.#server = server;
    await this.#session?.end().catch(() => undefined);
    this.#session = new Client({ connectionString: urlOf(this.#cluster, server.port) });
    this.#session.on("error", () => undefined);
    try {
      await this.#session.connect();
      return await isLastUser(this.#session);
    } catch {
      return true;
    }
  }
}

/** Lets go of the server; says whether nobody else uses it. */
async function leave(session: Client | undefined): Promise<boolean> {
  if (session === undefined) throw new EngineError("INTERNAL", "there is no session");
  await session.query("SELECT pg_advisory_unlock_shared($1)", [usersLock]);
  return isLastUser(session);
}

async function isLastUser(session: Client): Promise<boolean> {
  const lock = await session.query<{ last: boolean }>("SELECT pg_try_advisory_lock($1) AS last", [
    usersLock,
  ]);
  return lock.rows[0]?.last === true;
}

/** The server that runs on this cluster once it answers, or undefined when there is none. */
async function awaitServer(
  cluster: PostgresCluster,
  wait: PassingWait,
): Promise<RunningServer | undefined> {
  let deadline = Date.now() + startTimeoutMs;
  let passing: string | undefined;
  let pid: number | undefined;
  for (;;) {
    const server = await recordedServer(cluster);
    if (server === undefined) return undefined;
    if (pid !== undefined && pid !== server.pid) {
      // What the one before it said is not true of this one.
      passing = undefined;
      deadline = Date.now() + startTimeoutMs;
    }
    pid = server.pid;
    const client = new Client({
      connectionString: urlOf(cluster, server.port),
      connectionTimeoutMillis: 2_000,
    });
    client.on("error", () => undefined);
    try {
      await client.connect();
      await client.end();
      return server;
    } catch (error) {
      const { message } = EngineError.from(error);
      // Once it said that it shuts down, it may also refuse to listen before it is gone.
      if (isPassing(error)) passing = message;
      const goesOn = passing === undefined ? Date.now() < deadline : wait.goesOn(passing);
      if (!goesOn) throw noAnswer(cluster, server, passing ?? message);
      await sleep(50);
    }
  }
}

/** `cannot_connect_now`: it is starting up, recovering or shutting down. */
function isPassing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "57P03";
}

function noAnswer(cluster: PostgresCluster, { pid }: RunningServer, said: string): EngineError {
  const log = join(cluster.directory, "postgres.log");
  const hint = said.includes("shutting down")
    ? `try again in a minute; should process ${pid} not end, read ${log} and end it with ` +
      `kill -QUIT ${pid}: what it did not write is recovered at the next start`
    : `read ${log}`;
  return new EngineError(
    "UNAVAILABLE",
    `the embedded PostgreSQL in ${cluster.directory} runs but does not answer: ${said}`,
    { hint },
  );
}

/** What `postmaster.pid` says: process id in line 1, port in line 4. */
async function livingServer(cluster: PostgresCluster): Promise<RunningServer | "gone" | "none"> {
  const text = await readFile(lockFileOf(cluster), "utf8").catch(() => "");
  if (text === "") return "none";
  const lines = text.split("\n");
  const pid = Number(lines[0]);
  return (await isServerProcess(pid)) ? { pid, port: Number(lines[3] ?? 0) } : "gone";
}

async function recordedServer(cluster: PostgresCluster): Promise<RunningServer | undefined> {
  const server = await livingServer(cluster);
  // The file outlived its server; its process id may belong to someone else by now.
  if (server === "gone") await rm(lockFileOf(cluster), { force: true });
  return typeof server === "object" ? server : undefined;
}

function lockFileOf(cluster: PostgresCluster): string {
  return join(cluster.dataDirectory, "postmaster.pid");
}

/** Resolves to undefined when the server runs, else to why it does not. */
async function startServer(cluster: PostgresCluster, port: number): Promise<string | undefined> {
  const logPath = join(cluster.directory, "postgres.log");
  const log = await open(logPath, "w");
  try {
    // Detached: an interrupt from the terminal must reach us first, so that queues close before
    // their server does.
    const child = spawn(cluster.postgres, serverArguments(cluster, port), {
      cwd: cluster.directory,
      stdio: ["ignore", log.fd, log.fd],
      detached: true,
      env: { PATH: process.env["PATH"] ?? "", LC_ALL: "C", TZ: "UTC" },
      ...cluster.user,
    });
    const exited = new Promise<string>((resolve) => {
      child.once("error", (error) => {
        resolve(error.message);
      });
      child.once("exit", (code) => {
        resolve(`it ended with code ${code}`);
      });
    });
    child.unref();
    const ready = awaitLockFile(cluster, child);
    const failure = await Promise.race([exited, ready]);
    child.removeAllListeners();
    if (failure === undefined) return undefined;
    const lines = (await readFile(logPath, "utf8")).trim().split("\n");
    return `${failure}: ${lines.at(-1) ?? ""}`;
  } finally {
    await log.close();
  }
}

/** Resolves when the child has written its lock file; what becomes of it then is asked by SQL. */
async function awaitLockFile(cluster: PostgresCluster, child: ChildProcess): Promise<undefined> {
  while (child.exitCode === null && child.pid !== undefined) {
    if ((await recordedServer(cluster))?.pid === child.pid) return undefined;
    await sleep(20);
  }
  // It ended: its exit is reported by its own event.
  return new Promise(() => undefined);
}

function serverArguments(cluster: PostgresCluster, port: number): string[] {
  const settings = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    // Each lane takes up to four connections: twenty lanes in one process hold about eighty.
    max_connections: "300",
    shared_buffers: "32MB",
    // Losing the last moments of the queue is harmless: steps are idempotent and the index
    // knows what is left. Consistency after a crash is not affected by this.
    synchronous_commit: "off",
    wal_level: "minimal",
    max_wal_senders: "0",
    autovacuum_naptime: "15s",
    log_min_messages: "warning",
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  return ["-D", cluster.dataDirectory, "-p", String(port), ...flags];
}

/** The port of last time; a new one when there is none yet, or somebody else took it. */
async function choosePort(cluster: PostgresCluster, attempt: number): Promise<number> {
  const file = join(cluster.directory, portFile);
  const last = Number(await readFile(file, "utf8").catch(() => ""));
  // After a kill the old server's memory may be held for a moment: a few tries at the old port.
  if (last > 0 && attempt < portAttemptsMax) {
    if (attempt > 1) await sleep(reviveEveryMs);
    return last;
  }
  const port = await freePort();
  await writeFile(file, String(port));
  return port;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return typeof address === "object" && address !== null ? address.port : 0;
}

function urlOf(cluster: PostgresCluster, port: number): string {
  return `postgres://thermocline:${cluster.password}@127.0.0.1:${port}/postgres`;
}
