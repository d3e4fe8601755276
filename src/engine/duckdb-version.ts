import { version } from "#index/duckdb.ts";

/** The version of DuckDB, whose native library is loaded then: it works on this machine. */
export function duckDbVersion(): string {
  return version();
}
