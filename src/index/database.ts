import { resolve } from "node:path";
import { CheckpointRest } from "#index/checkpoint-rest.ts";
import type { Connection } from "#index/connection.ts";
import { copyDatabase, type IndexCopy } from "#index/copy-database.ts";
import { DatabaseFile, type FileOptions } from "#index/database-file.ts";
import { indexError } from "#index/index-error.ts";
import { Transaction } from "#index/transaction.ts";
import { EngineError } from "#model/engine-error.ts";
import { parseSize } from "#model/quantity.ts";
import type { WriteFence } from "#model/write-fence.ts";

export interface DatabaseOptions extends FileOptions {
  /** Asked around every write; without it this process alone decides. */
  readonly fence?: WriteFence;
}

// DuckDB's file lock belongs to the process, so a second opening from the same process would
// not be noticed there.
const openPaths = new Set<string>();
const memory = ":memory:";

/**
 * The DuckDB file: one instance, one writing connection, writes one after the other. When DuckDB
 * gives the file up, as after a checkpoint that found no room on the disk, whatever is asked next
 * opens it again.
 */
export class Database {
  readonly path: string;
  /** What the process may hold because of it. */
  readonly memoryBytes: number;
  readonly #options: DatabaseOptions;
  readonly #rest = new CheckpointRest();
  #file: DatabaseFile;
  #reopening: Promise<void> | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  readonly #reads = new Set<Promise<unknown>>();
  #closed = false;

  private constructor(file: DatabaseFile, options: DatabaseOptions) {
    this.path = file.path;
    this.memoryBytes = parseSize(options.memoryLimit);
    this.#file = file;
    this.#options = options;
  }

  /** Opens or creates the file. LOCKED when another owner has it, CORRUPT when it is damaged. */
  static async open(file: string, options: DatabaseOptions): Promise<Database> {
    const path = file === memory ? file : resolve(file);
    if (openPaths.has(path)) {
      throw indexError(new Error("Could not set lock on file: this process has it open"), path);
    }
    if (path !== memory) openPaths.add(path);
    try {
      return new Database(await DatabaseFile.open(path, options), options);
    } catch (error) {
      openPaths.delete(path);
      throw indexError(error, path);
    }
  }

  /** A connection of its own; the caller closes it. */
  async connect(): Promise<Connection> {
    this.#requireOpen();
    const file = await this.#soundFile();
    this.#requireOpen();
    const connection = await file.connect();
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
    connection?: Connection,
  ): Promise<T> {
    this.#requireOpen();
    const { readOnly, fence } = this.#options;
    if (readOnly) {
      throw new EngineError("REFUSED", "the index is open for reading only", {
        hint: "send the change to the controller, which owns the index",
      });
    }
    await fence?.enter();
    // Who has waited there may come when the index is being closed.
    this.#requireOpen();
    const turn = this.#queue.then(() => this.#transact(work, connection));
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
    const turn = this.#queue.then(() => this.#fold());
    this.#queue = turn.catch(() => undefined);
    await turn.catch(unlessBusy);
  }

  /** Waits for the reads and writes that were begun, folds the log into the file and lets it go. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled([this.#queue, ...this.#reads, this.#reopening]);
    const file = this.#file;
    await file.endReaders();
    try {
      const isSound = file.failure === undefined;
      if (!this.#options.readOnly && isSound) await file.writer.run("CHECKPOINT");
    } catch (error) {
      // A transaction that was cut off may not have been undone yet, or there is no room. What was
      // committed is in the log, which the next opening folds in.
      if (EngineError.from(error).code !== "NO_SPACE") unlessBusy(error);
    } finally {
      file.close();
      openPaths.delete(this.path);
    }
  }

  async #fold(): Promise<void> {
    const file = await this.#soundFile();
    if (await this.#rest.isOver(file)) await file.writer.run("CHECKPOINT");
  }

  /** The file as it is, or opened anew after DuckDB gave it up. */
  async #soundFile(): Promise<DatabaseFile> {
    const { failure, path } = this.#file;
    if (failure === undefined) return this.#file;
    // Opened again it would be empty.
    if (path === memory) throw failure;
    this.#reopening ??= this.#reopen().finally(() => {
      this.#reopening = undefined;
    });
    await this.#reopening;
    return this.#file;
  }

  async #reopen(): Promise<void> {
    const { failure } = this.#file;
    try {
      await this.#file.giveUp();
      // Who closes the index meanwhile closes what there is by then.
      this.#requireOpen();
      this.#file = await DatabaseFile.open(this.path, this.#options);
    } catch (error) {
      throw indexError(error, this.path);
    }
    if (failure !== undefined) await this.#rest.begin(this.#file, failure);
  }

  async #transact<T>(
    work: (transaction: Transaction) => Promise<T>,
    connection: Connection | undefined,
  ): Promise<T> {
    const { fence } = this.#options;
    await fence?.confirm();
    const file = await this.#soundFile();
    const isRested = await this.#rest.isOver(file);
    const on = connection ?? file.writer;
    return await runTransaction(on, work, async (checkpointsAtCommit) => {
      await fence?.confirm();
      await (checkpointsAtCommit && isRested ? commitWithoutLog(on, file) : commit(on));
    });
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
  end: (checkpointsAtCommit: boolean) => Promise<void>,
): Promise<T> {
  await connection.run("BEGIN TRANSACTION");
  try {
    const transaction = await Transaction.begin(connection);
    const result = await work(transaction);
    await transaction.finish();
    await end(transaction.checkpointsAtCommit);
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
async function commitWithoutLog(connection: Connection, file: DatabaseFile): Promise<void> {
  await file.setCheckpoints("always");
  try {
    await commit(connection);
  } finally {
    // This fails only where the index is being closed, and says nothing about the commit.
    await file.setCheckpoints("by-size").catch(() => undefined);
  }
}
