import type { AsOf } from "#model/index-snapshot.ts";
import type { RowFile } from "#model/row-file.ts";
import type { SqlRow } from "#model/sql.ts";

/** SQL that a person wrote, over the views of the index. */
export interface QueryApi {
  /** Read-only SQL over the views; streams rows in pieces. */
  query(text: string, options?: AsOf): AsyncIterable<QueryChunk>;
  /** The same as Arrow's streaming format. */
  queryArrow(text: string, options?: AsOf): AsyncIterable<Uint8Array>;
  exportQuery(request: QueryExportRequest): Promise<RowFile>;
}

export interface QueryExportRequest extends AsOf {
  /** One SELECT over the views. */
  readonly text: string;
  /** On the controller's machine; its extension says the format. */
  readonly file: string;
}

export interface QueryChunk {
  readonly columns: readonly string[];
  readonly rows: readonly SqlRow[];
}
