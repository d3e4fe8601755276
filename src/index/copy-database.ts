import type { Connection } from "#index/connection.ts";
import { sqlLiteral } from "#index/sql-literal.ts";

/** What a copy of the index holds. */
export interface IndexCopy {
  /** `version()` of the index at the moment of the copy. */
  readonly commits: number;
}

/**
 * Copies one consistent state of the index into a new database file, tables, types, indexes and
 * views. It reads beside the writer, which never waits for it.
 */
export async function copyDatabase(connection: Connection, path: string): Promise<IndexCopy> {
  const { name } = await connection.row<{ name: string }>("SELECT current_database() AS name");
  await connection.run(`ATTACH ${sqlLiteral(path)} AS index_copy`);
  try {
    // DuckDB makes several statements of it, which cannot be prepared.
    await connection.duckdb.run(`COPY FROM DATABASE "${name.replaceAll('"', '""')}" TO index_copy`);
    return await connection.row<{ commits: number }>("SELECT commits FROM index_copy.counters");
  } finally {
    // Folds the log of the copy into its file.
    await connection.run("DETACH index_copy");
  }
}
