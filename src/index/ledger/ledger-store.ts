import type { Connection } from "#index/connection.ts";
import type { Database } from "#index/database.ts";
import { entryCheck, noEntryCheck } from "#index/ledger/entry-check.ts";
import { recoverEntries, type RecoveredEntries } from "#index/ledger/recover-entries.ts";
import { readFiles } from "#index/snapshot/read-files.ts";

/** Numbers of entries, from 0 and without a gap, and what tells them from those of others. */
export class LedgerStore {
  readonly #database: Pick<Database, "read" | "write">;

  constructor(database: Pick<Database, "read" | "write">) {
    this.#database = database;
  }

  /** Number of the last entry; -1 when there is none. */
  async last(): Promise<number> {
    return await this.#database.read(async (connection) => {
      const { next } = await connection.row<{ next: number }>(
        "SELECT next_entry AS next FROM counters",
      );
      return next - 1;
    });
  }

  /** The checks of these entries, as far as they are here. */
  async checks(entries: readonly number[]): Promise<ReadonlyMap<number, string>> {
    return await this.#database.read((connection) => checksIn(connection, "audit", entries));
  }

  /** The same of a file that entries were written to. */
  async checksInFile(
    path: string,
    entries: readonly number[],
  ): Promise<ReadonlyMap<number, string>> {
    const rows = `(SELECT entry AS entry_id, * FROM ${readFiles([path])})`;
    return await this.#database.read((connection) => checksIn(connection, rows, entries));
  }

  /** Takes over what a lost index recorded after the last entry here. */
  async recover(files: readonly string[]): Promise<RecoveredEntries> {
    if (files.length === 0) return { entries: 0, until: undefined, copiesGone: 0, orders: [] };
    const after = await this.last();
    return await this.#database.write((transaction) => recoverEntries(transaction, files, after));
  }
}

async function checksIn(
  connection: Connection,
  source: string,
  entries: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  const found = await connection.rows<{ entry: number; digest: string }>(
    `SELECT entry_id AS entry, ${entryCheck} AS digest FROM ${source}
     WHERE entry_id IN (SELECT unnest(json_extract($1, '$[*]'))::BIGINT)`,
    [JSON.stringify(entries)],
  );
  return new Map([[-1, noEntryCheck], ...found.map((row) => [row.entry, row.digest] as const)]);
}
