import { cpus } from "node:os";
import { listBackends, setCordon, syncBackends } from "#index/backends.ts";
import { Database } from "#index/database.ts";
import { ensureHeatSettings, heatSettings } from "#index/heat-settings.ts";
import { putObjects } from "#index/put-objects.ts";
import { IndexSession } from "#index/read-session.ts";
import { checkSummaries, type SummaryDifference } from "#index/summaries.ts";
import type { Backend } from "#model/backend.ts";
import type { BackendFacts, HeatSettings, NewObject, PutSummary } from "#model/index-store.ts";
import type { ColumnBatch } from "#model/sql.ts";

export interface ObjectIndexOptions {
  /** Opens an index that another program wrote; every write is refused. */
  readonly readOnly?: boolean;
  /** As DuckDB writes it; default "1GiB". */
  readonly memoryLimit?: string;
  readonly threads?: number;
  /** Half-life of heat; fixed when the index is made. Default seven days. */
  readonly heatHalfLifeMs?: number;
  readonly now?: () => Date;
}

/** The object index: what is known, and the single writer of it. */
export class ObjectIndex {
  readonly #database: Database;
  readonly #sessions = new Set<IndexSession>();

  private constructor(database: Database) {
    this.#database = database;
  }

  /** Opens the index, creating or upgrading it. LOCKED when another process owns it. */
  static async open(path: string, options: ObjectIndexOptions = {}): Promise<ObjectIndex> {
    const now = options.now ?? (() => new Date());
    const database = await Database.open(path, {
      readOnly: options.readOnly ?? false,
      memoryLimit: options.memoryLimit ?? "1GiB",
      threads: options.threads ?? Math.max(1, cpus().length),
      now: now(),
    });
    const index = new ObjectIndex(database);
    if (!options.readOnly) await ensureHeatSettings(database, options.heatHalfLifeMs, now());
    return index;
  }

  async version(): Promise<number> {
    return await this.#database.read(async (connection) => {
      const { commits } = await connection.row<{ commits: number }>("SELECT commits FROM counters");
      return commits;
    });
  }

  async session(): Promise<IndexSession> {
    const connection = await this.#database.connect();
    const session: IndexSession = await IndexSession.begin(connection, () => {
      this.#sessions.delete(session);
    });
    this.#sessions.add(session);
    return session;
  }

  /** Answers one SELECT that a person wrote; it can read nothing but the index. */
  async *query(text: string): AsyncGenerator<ColumnBatch> {
    await using session = await this.session();
    yield* session.userColumns(text);
  }

  async heat(): Promise<HeatSettings> {
    return await this.#database.read(heatSettings);
  }

  async syncBackends(facts: readonly BackendFacts[]): Promise<readonly Backend[]> {
    await this.#database.write(async (transaction) => {
      await syncBackends(transaction, facts);
    });
    return await this.backends();
  }

  async backends(): Promise<readonly Backend[]> {
    return await this.#database.read(listBackends);
  }

  async setCordon(backend: string, cordoned: boolean): Promise<void> {
    await this.#database.write(async (transaction) => {
      await setCordon(transaction, backend, cordoned);
    });
  }

  async putObjects(objects: readonly NewObject[], now: Date): Promise<PutSummary> {
    return await this.#database.write(
      async (transaction) => await putObjects(transaction, objects, now),
    );
  }

  /** Recomputes every maintained figure from its detail; an empty list means all agree. */
  async checkSummaries(): Promise<readonly SummaryDifference[]> {
    return await this.#database.read(checkSummaries);
  }

  async close(): Promise<void> {
    for (const session of this.#sessions) await session[Symbol.asyncDispose]();
    await this.#database.close();
  }
}
