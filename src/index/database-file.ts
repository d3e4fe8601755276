import { readdir, readlink, realpath, rm } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { collectAll } from "#index/collect-young.ts";
import { Connection } from "#index/connection.ts";
import { createDatabase } from "#index/create-database.ts";
import { type DuckDBConnection, DuckDBInstance } from "#index/duckdb.ts";
import { duckdbLimit } from "#index/duckdb-limit.ts";
import { endsDatabase } from "#index/index-error.ts";
import { migrate, requireCurrentSchema } from "#index/migrate.ts";
import { EngineError } from "#model/engine-error.ts";

export interface FileOptions {
  readonly readOnly: boolean;
  /** What the process may hold because of it, as sizes are written: "1GiB". See `duckdbLimit`. */
  readonly memoryLimit: string;
  readonly threads: number;
  readonly now: Date;
}

const checkpointThreshold = "64MiB";
/** More than any log. */
const neverThreshold = "1024TiB";
const freedBytesKept = "16MiB";

/** How long readers of a file that DuckDB gave up may take to let go of it. */
const letGoWithinMs = 5_000;

/** The file as DuckDB has it open, with the connections to it. */
export class DatabaseFile {
  readonly path: string;
  readonly writer: Connection;
  readonly #instance: DuckDBInstance;
  /** Those beside the writer's. */
  readonly #connections = new Set<Connection>();
  readonly #connecting = new Set<Promise<unknown>>();
  #failure: EngineError | undefined;
  #ended = false;

  private constructor(path: string, instance: DuckDBInstance, writer: DuckDBConnection) {
    this.path = path;
    this.#instance = instance;
    this.writer = this.#connection(writer, () => undefined);
  }

  /** Opens or creates the file; the caller turns what is thrown into errors of the index. */
  static async open(path: string, options: FileOptions): Promise<DatabaseFile> {
    const settings = configuration(options);
    if (path !== ":memory:" && !options.readOnly) await createDatabase(path, settings);
    const instance = await DuckDBInstance.create(path, settings);
    try {
      const file = new DatabaseFile(path, instance, await instance.connect());
      // What a process that was killed had no memory for. Nobody else has the file open, and nothing
      // has run yet.
      const owns = path !== ":memory:" && !options.readOnly;
      if (owns) await rm(`${path}.tmp`, { recursive: true, force: true });
      // Times with a zone, in queries of people, read the same on every machine.
      await file.writer.run("SET GLOBAL TimeZone = 'UTC'");
      if (options.readOnly) await requireCurrentSchema(file.writer);
      else await migrate(file.writer, options.now);
      return file;
    } catch (error) {
      instance.closeSync();
      throw error;
    }
  }

  /**
   * Why DuckDB gave it up: after a checkpoint that could not be written whole it answers nothing any
   * more. What was committed is in the file and its log, and is there when it is opened again.
   */
  get failure(): EngineError | undefined {
    return this.#failure;
  }

  /** A connection of its own; the caller closes it. */
  async connect(): Promise<Connection> {
    const connecting = this.#instance.connect();
    this.#connecting.add(connecting);
    try {
      const connection: Connection = this.#connection(await connecting, () => {
        this.#connections.delete(connection);
      });
      this.#connections.add(connection);
      if (this.#ended) await connection.end();
      return connection;
    } finally {
      this.#connecting.delete(connecting);
    }
  }

  /** Folds the log into the file at a commit only when told to, or as ever. */
  async setCheckpoints(when: "never" | "always" | "by-size"): Promise<void> {
    const thresholds = { never: neverThreshold, always: "0KiB", "by-size": checkpointThreshold };
    await this.writer.run(`SET GLOBAL checkpoint_threshold = '${thresholds[when]}'`);
  }

  /** Ends all connections but the writer's. */
  async endReaders(): Promise<void> {
    await Promise.allSettled(this.#connecting);
    await Promise.all([...this.#connections].map(async (connection) => connection.end()));
  }

  /** Closes it as it is; for whoever has awaited all that was asked for. */
  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.writer.close();
    this.#instance.closeSync();
  }

  /**
   * Ends whatever goes on, and closes it so that the same process may open it again. Throws
   * UNAVAILABLE while somebody is still in the middle of a result: the lock of a file goes with the
   * first handle that a process closes, whichever that is.
   */
  async giveUp(withinMs: number = letGoWithinMs): Promise<void> {
    await this.endReaders();
    if (!this.#ended) await this.writer.end();
    this.close();
    const deadline = performance.now() + withinMs;
    for (; await hasOpen(this.path); await delay(200)) {
      // What was being read holds it until V8 collects that.
      collectAll();
      if (performance.now() < deadline) continue;
      throw new EngineError("UNAVAILABLE", `${this.path} is still being read after it failed`, {
        cause: this.#failure,
        hint: "end the queries and downloads that stand still, or start the engine again",
      });
    }
  }

  #connection(duckdb: DuckDBConnection, onClose: () => void): Connection {
    return new Connection(duckdb, onClose, (error) => {
      if (endsDatabase(error)) this.#failure ??= error;
    });
  }
}

/** Whether this process has the file open; false where the system does not tell. */
async function hasOpen(path: string): Promise<boolean> {
  const file = await realpath(path).catch(() => path);
  const handles = await readdir("/proc/self/fd").catch(() => []);
  const files = await Promise.all(
    handles.map(async (handle) => await readlink(`/proc/self/fd/${handle}`).catch(() => "")),
  );
  return files.includes(file);
}

function configuration(options: FileOptions): Record<string, string> {
  return {
    access_mode: options.readOnly ? "READ_ONLY" : "AUTOMATIC",
    threads: String(options.threads),
    memory_limit: duckdbLimit(options.memoryLimit),
    checkpoint_threshold: checkpointThreshold,
    // An extension that is missing would be looked for on the network at every failed name.
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
    preserve_insertion_order: "true",
    // What was freed goes back to the system soon: it is held beside the limit, not within it.
    allocator_background_threads: "true",
    allocator_flush_threshold: freedBytesKept,
    allocator_bulk_deallocation_flush_threshold: freedBytesKept,
  };
}
