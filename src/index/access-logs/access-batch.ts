import { micros } from "#index/connection.ts";
import type { ReadList } from "#index/shared-folds.ts";
import type { Access, AccessCounts } from "#model/index-store.ts";

/** Reads that count once for their batch. */
export function accessBatch(batchId: string, reads: readonly Access[]): ReadList {
  return {
    name: `batch ${batchId}`,
    reads,
    known: async (transaction) => {
      const [seen] = await transaction.rows<{ applied: number; unknown: number }>(
        "SELECT applied, unknown FROM access_batches WHERE batch_id = $1",
        [batchId],
      );
      return seen;
    },
    note: async (transaction, { applied, unknown }: AccessCounts, now) => {
      await transaction.run(
        "INSERT INTO access_batches VALUES ($1, $2, $3, make_timestamp($4::BIGINT))",
        [batchId, applied, unknown, micros(now)],
      );
    },
  };
}
