import { DuckDBInstance } from "@duckdb/node-api";

/** The names of the indexes in a closed file. */
export async function indexesOf(path: string): Promise<readonly unknown[]> {
  const instance = await DuckDBInstance.create(path, { access_mode: "READ_ONLY" });
  const connection = await instance.connect();
  try {
    const found = await connection.runAndReadAll("SELECT index_name FROM duckdb_indexes()");
    return found.getRows().map(([name]) => name);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
