import type { Connection } from "#index/connection.ts";

/** A file with rows, read a piece at a time: however large it is, one piece is in memory. */
export interface RowFileSource {
  readonly format: RowSourceFormat;
  /** The columns that the file has; undefined where each row names its own. */
  readonly columns: readonly string[] | undefined;
  /** Size of the file as it lies there, packed or not. */
  readonly fileBytes: number;
  /** Known before only where the file says it. */
  readonly rowsTotal: number | undefined;

  /**
   * Makes, for one piece after the other, the temporary table or view `file_rows`: `position`; `problem`,
   * why the row could not be taken apart, or null; `text`, the row as it stands in the file; and
   * each wanted column as VARCHAR, null where the file does not have it.
   */
  pieces(
    connection: Connection,
    wanted: readonly string[],
    bounds: PieceBounds,
  ): AsyncGenerator<RowPiece>;
}

export interface PieceBounds {
  /** Rows that are passed over. */
  readonly after: number;
  /** Rows of one piece, about. */
  readonly rows: number;
}

/** What is in `file_rows` now. */
export interface RowPiece {
  /** Rows of the file up to the end of this piece: what `after` is when it goes on behind it. */
  readonly past: number;
  /** Bytes of the file that were read up to here, for an estimate of the rest. */
  readonly bytesRead: number;
}

export const rowSourceFormats = ["csv", "ndjson", "parquet"] as const;
export type RowSourceFormat = (typeof rowSourceFormats)[number];

/**
 * Rows in one piece: each is one write of the index, which others wait for. As many as a row group
 * of the database has: what one transaction adds whole row groups of goes to the file at once,
 * with less, to the log first, which is three times the processor time.
 */
export const pieceRowsMax = 122_880;
