import { sqlLiteral } from "#index/sql-literal.ts";

/** Parquet files as a table in SQL; what stands in their paths does not become columns. */
export function readFiles(paths: readonly string[]): string {
  return `read_parquet([${paths.map(sqlLiteral).join(", ")}], hive_partitioning = false)`;
}
