/** A column of record batches; `type` as Arrow writes it: `Int64`, `Timestamp<MICROSECOND>`. */
export interface BatchColumn {
  readonly name: string;
  readonly type: string;
}

/** A piece of Arrow's interprocess format, and how many rows it has. */
export interface ArrowPiece {
  readonly columns: readonly BatchColumn[];
  readonly rows: number;
  readonly bytes: readonly Uint8Array[];
}
