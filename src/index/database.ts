import { resolve } from "node:path";
import { DuckDBInstance } from "#index/duckdb.ts";
import { Connection } from "#index/connection.ts";
import { copyDatabase, type IndexCopy } from "#index/copy-database.ts";
import { createDatabase } from "#index/create-database.ts";
import { duckdbLimit } from "#index/duckdb-limit.ts";
import { indexError } from "#index/index-error.ts";
import { migrate, requireCurrentSchema } from "#index/migrate.ts";
import { Transaction } from "#index/transaction.ts";
import { EngineError } from "#model/engine-error.ts";
import { parseSize } from "#model/quantity.ts";
import type { WriteFence } from "#model/write-fence.ts";

export interface DatabaseOptions {
  readonly readOnly: boolean;
  /** What the process may hold because of it, as sizes are written: "1GiB". See `duckdbLimit`. */
  readonly memoryLimit: string;
  readonly threads: number;
  readonly now: Date;
  /** Asked around every write; without it this process alone decides. */
  readonly fence?: WriteFence;
}

// DuckDB's file lock belongs to the process, so a second opening from the same process would
// not be noticed there.
const openPaths = new Set<string>();

const checkpointThreshold = "64MiB";
const freedBytesKept = "16MiB";

/** The DuckDB file: one instance, one writing connection, writes one after the other. */
export class Database {
  readonly path: string;
  /** What the process may hold because of it. */
  readonly memoryBytes: number;
  readonly #instance: DuckDBInstance;
  readonly #writer: Connection;
  readonly #readOnly: boolean;
  readonly #fence: WriteFence | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  /** Those beside the writer's. */
  readonly #connections = new Set<Connection>();
  readonly #reads = new Set<Promise<unknown>>();
  #closed = false;

  private constructor(
    path: string,
    instance: DuckDBInstance,
    writer: Connection,
    { readOnly, fence, memoryLimit }: DatabaseOptions,
  ) {
    this.path = path;
    this.memoryBytes = parseSize(memoryLimit);
    this.#instance = instance;
    this.#writer = writer;
    this.#readOnly = readOnly;
    this.#fence = fence;
  }

  /** Opens or creates the file. LOCKED when another owner has it, CORRUPT when it is damaged. */
  static async open(file: string, options: DatabaseOptions): Promise<Database> {
    const path = file === ":memory:" ? file : resolve(file);
    if (openPaths.has(path)) {
      throw indexError(new Error("Could not set lock on file: this process has it open"), path);
    }
    if (path !== ":memory:") openPaths.add(path);
    let instance: DuckDBInstance | undefined;
    try {
      const settings = configuration(options);
      if (path !== ":memory:" && !options.readOnly) await createDatabase(path, settings);
      instance = await DuckDBInstance.create(path, settings);
      const writer = new Connection(await instance.connect());
      // Times with a zone, in queries of people, read the same on every machine.
      await writer.run("SET GLOBAL TimeZone = 'UTC'");
      if (options.readOnly) await requireCurrentSchema(writer);
      else await migrate(writer, options.now);
      return new Database(path, instance, writer, options);
    } catch (error) {
      instance?.closeSync();
      openPaths.delete(path);
      throw indexError(error, path);
    }
  }

  /** A connection of its own; the caller closes it. */
  async connect(): Promise<Connection> {
    this.#requireOpen();
    const connection = new Connection(await this.#instance.connect(), () => {
      this.#connections.delete(connection);
    });
    this.#connections.add(connection);
    if (this.#closed) await connection.end();
    this.#requireOpen();
    return connection;
  }

  /**
   * Runs `work` as one transaction after all earlier writes; counts one commit. Everything is
   * undone when it throws. `connection` is for work that staged rows on one of its own.
   */
  async write<T>(
    work: (transaction: Transaction) => Promise<T>,
    connection: Connection = this.#writer,
  ): Promise<T> {
    this.#requireOpen();
    if (this.#readOnly) {
      throw new EngineError("REFUSED", "the index is open for reading only", {
        hint: "send the change to the controller, which owns the index",
      });
    }
    await this.#fence?.enter();
    // Who has waited there may come when the index is being closed.
    this.#requireOpen();
    const turn = this.#queue.then(() => runTransaction(connection, work, this.#fence));
    this.#queue = turn.catch(() => undefined);
    return await turn;
  }

  /**
   * A read of one consistent state, beside whatever is being written: readers never wait for
   * the writer, so a write may itself ask something that reads.
   */
  async read<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    this.#requireOpen();
    const reading = this.#readOnce(work);
    this.#reads.add(reading);
    try {
      return await reading;
    } finally {
      this.#reads.delete(reading);
    }
  }

  async #readOnce<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await this.connect();
    try {
      await connection.run("BEGIN TRANSACTION");
      const result = await work(connection);
      await connection.run("COMMIT");
      return result;
    } finally {
      connection.close();
    }
  }

  /** A copy of one consistent state; see `copyDatabase`. */
  async copyTo(path: string): Promise<IndexCopy> {
    const connection = await this.connect();
    const copying = copyDatabase(connection, path).finally(() => {
      connection.close();
      this.#reads.delete(copying);
    });
    this.#reads.add(copying);
    return await copying;
  }

  /** Resolves when the writes that were begun have ended. */
  async idle(): Promise<void> {
    await this.#queue;
  }

  /**
   * Folds the log into the file, after the writes that were begun: until then what they updated is
   * held in memory. Another time does as well when that cannot be done now.
   */
  async checkpoint(): Promise<void> {
    this.#requireOpen();
    const turn = this.#queue.then(() => this.#writer.run("CHECKPOINT"));
    this.#queue = turn.catch(() => undefined);
    await turn.catch(unlessBusy);
  }

  /** Waits for the reads and writes that were begun, folds the log into the file and lets it go. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled([this.#queue, ...this.#reads]);
    await Promise.all([...this.#connections].map(async (connection) => connection.end()));
    try {
      if (!this.#readOnly) await this.#writer.run("CHECKPOINT");
    } catch (error) {
      // A transaction that was cut off may not have been undone yet. What was committed is in the
      // log, which the next opening folds in.
      unlessBusy(error);
    } finally {
      this.#writer.close();
      this.#instance.closeSync();
      openPaths.delete(this.path);
    }
  }

  #requireOpen(): void {
    if (this.#closed) throw new EngineError("CANCELLED", "the index is closed");
  }
}

function unlessBusy(error: unknown): void {
  if (!/cannot checkpoint/i.test(EngineError.from(error).message)) throw error;
}

async function runTransaction<T>(
  connection: Connection,
  work: (transaction: Transaction) => Promise<T>,
  fence: WriteFence | undefined,
): Promise<T> {
  await fence?.confirm();
  await connection.run("BEGIN TRANSACTION");
  try {
    const transaction = await Transaction.begin(connection);
    const result = await work(transaction);
    await transaction.finish();
    await fence?.confirm();
    await (transaction.checkpointsAtCommit ? commitWithoutLog(connection) : commit(connection));
    return result;
  } catch (error) {
    await connection.run("ROLLBACK").catch(() => undefined);
    throw indexError(error);
  }
}

async function commit(connection: Connection): Promise<void> {
  await connection.run("COMMIT");
}

/** Writes come one after the other, so that no other commit meets this threshold. */
async function commitWithoutLog(connection: Connection): Promise<void> {
  await connection.run("SET GLOBAL checkpoint_threshold = '0KiB'");
  try {
    await commit(connection);
  } finally {
    // This fails only where the index is being closed, and says nothing about the commit.
    await connection
      .run(`SET GLOBAL checkpoint_threshold = '${checkpointThreshold}'`)
      .catch(() => undefined);
  }
}

function configuration(options: DatabaseOptions): Record<string, string> {
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
