import type { RowFormat } from "#model/sql.ts";

/** The formats of files with rows; the extension of a name says which. */
export const rowFileFormats = [
  "parquet",
  "arrow",
  "csv",
  "ndjson",
  "json",
] as const satisfies RowFormat[];

/** A file that was written, on the controller's machine. */
export interface RowFile {
  readonly file: string;
  readonly rows: number;
  readonly bytes: number;
  /** Root of a CAR. */
  readonly cid?: string;
}
