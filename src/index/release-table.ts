import type { Connection } from "#index/connection.ts";

/**
 * Drops a temporary table so that its memory is free at once. DuckDB keeps what was dropped or
 * replaced until the transaction ends, and only lets go of columns that are taken from a table.
 */
export async function releaseTable(connection: Connection, table: string): Promise<void> {
  const columns = await connection.rows<{ name: string }>(
    `SELECT column_name AS name FROM duckdb_columns()
     WHERE database_name = 'temp' AND table_name = $1`,
    [table],
  );
  if (columns.length === 0) return;
  // A table has at least one column: this one takes a byte for each row.
  await connection.run(`ALTER TABLE temp.${table} ADD COLUMN released BOOLEAN`);
  for (const { name } of columns) {
    await connection.run(`ALTER TABLE temp.${table} DROP COLUMN "${name}"`);
  }
  await connection.run(`DROP TABLE temp.${table}`);
}
