import { z } from "zod";
import type {
  BatchCheck,
  BatchColumn,
  BatchGcReport,
  BatchRecord,
  ToldBatch,
} from "#model/record-batch.ts";
import { count, shapeOf, time } from "#model/shape.ts";

export const batchTagsSchema = z.record(z.string().min(1).max(200), z.string().max(4_096));

export const batchRecordSchema = shapeOf<BatchRecord>({
  cid: z.string(),
  rows: count,
  bytes: count,
  created: time,
  columns: z.array(shapeOf<BatchColumn>({ name: z.string(), type: z.string() })),
  tags: z.record(z.string(), z.string()),
});

export const toldBatchSchema = shapeOf<ToldBatch>({
  cursor: z.string(),
  batch: batchRecordSchema,
});

export const batchCheckSchema = shapeOf<BatchCheck>({
  cid: z.string(),
  state: z.enum(["intact", "damaged", "missing"]),
  bytes: count,
});

export const batchGcSchema = shapeOf<BatchGcReport>({
  kept: count,
  inUse: count,
  removed: z.array(z.string()),
  bytesRemoved: count,
  leftovers: count,
});
