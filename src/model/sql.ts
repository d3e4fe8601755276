/** One statement: text with `$1`, `$2`, … and its values. Values are never glued into text. */
export interface SqlStatement {
  readonly text: string;
  readonly parameters: readonly SqlValue[];
}

/** Timestamps travel as strings or through `make_timestamp($n::BIGINT)` in microseconds. */
export type SqlValue = null | boolean | number | bigint | string | Uint8Array;

export type SqlRow = Readonly<Record<string, unknown>>;

/**
 * A connection of its own on one consistent reading of the index. Temporary tables may be made
 * and end with the session; the index itself cannot be written through it.
 */
export interface ReadSession extends AsyncDisposable {
  /** Runs a statement for its effect on temporary tables. */
  run(statement: SqlStatement): Promise<void>;
  /** Drops a temporary table, if there is one, and gives back what it holds now, not at the end. */
  release(temporaryTable: string): Promise<void>;
  /** Small results, as objects: BIGINT as number when safe, TIMESTAMP as Date, BLOB as bytes. */
  rows(statement: SqlStatement): Promise<readonly SqlRow[]>;
  /** Large results, column by column, in chunks of a few thousand rows. */
  columns(statement: SqlStatement): AsyncIterable<ColumnBatch>;
  /** Writes a query's rows to a file of the format; the query must have an ORDER BY. */
  exportRows(
    statement: SqlStatement,
    path: string,
    format: RowFormat,
  ): Promise<{ rows: number; bytes: number }>;
  /** Writes a query's rows to a Parquet file (v2, zstd); the query must have an ORDER BY. */
  exportParquet(statement: SqlStatement, path: string): Promise<{ rows: number; bytes: number }>;
}

/**
 * Parquet is v2 with zstd; Arrow is a file of its interprocess format; CSV has a header; NDJSON
 * is one object a line, JSON an array of them.
 */
export type RowFormat = "parquet" | "arrow" | "csv" | "ndjson" | "json";

/** The formats that DuckDB reads and writes itself. */
export type DuckDBFormat = Exclude<RowFormat, "arrow">;

export interface ColumnBatch {
  readonly rows: number;
  readonly names: readonly string[];
  /** One array per column, in the order of `names`. */
  readonly columns: readonly ArrayLike<unknown>[];
}
