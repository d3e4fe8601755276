import type {
  BatchCheck,
  BatchExportRequest,
  BatchGcReport,
  BatchGcRequest,
  BatchListRequest,
  BatchPublishRequest,
  BatchRecord,
  ToldBatch,
} from "#model/record-batch.ts";
import type { RowFile } from "#model/row-file.ts";

/** What may be asked of the engine about record batches. */
export interface BatchApi {
  /** Publishes rows as an Arrow file named by CID, for other processes and languages. */
  publishBatch(request: BatchPublishRequest): Promise<BatchRecord>;
  /** The newest first. */
  batches(request: BatchListRequest): Promise<readonly BatchRecord[]>;
  /** The bytes of a batch, after they were checked against its CID. */
  batch(reference: string): AsyncIterable<Uint8Array>;
  /** Batches as they are published: from now on, or after a cursor; all after `0.0`. */
  followBatches(after?: string): AsyncIterable<ToldBatch>;
  /** Reads batches again (default all) and says whether they have their CIDs. */
  checkBatches(references?: readonly string[]): Promise<readonly BatchCheck[]>;
  exportBatch(request: BatchExportRequest): Promise<RowFile>;
  collectBatches(request: BatchGcRequest): Promise<BatchGcReport>;
}
