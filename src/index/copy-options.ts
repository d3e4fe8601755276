import type { DuckDBFormat } from "#model/sql.ts";

/** How DuckDB itself is told to write a file of rows. */
export const copyOptions: Readonly<Record<DuckDBFormat, string>> = {
  parquet: "FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd",
  csv: "FORMAT csv, HEADER true",
  ndjson: "FORMAT json, ARRAY false",
  json: "FORMAT json, ARRAY true",
};
