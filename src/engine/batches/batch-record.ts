import { z } from "zod";
import type { BatchColumn, BatchRecord } from "#model/record-batch.ts";
import { count, type Shape, shapeOf } from "#model/shape.ts";

/** A line of the journal: other programs write them too, so each is looked at. */
export const batchRecordSchema = shapeOf<BatchRecord>({
  cid: z.string().regex(/^b[a-z2-7]{50,120}$/),
  rows: count,
  bytes: count,
  created: z.iso.datetime(),
  columns: z.array(
    shapeOf<BatchColumn>({ name: z.string(), type: z.string() } satisfies Shape<BatchColumn>),
  ),
  tags: z.record(z.string(), z.string()),
});

/** Undefined for what is no record: a line that somebody who died left unfinished. */
export function parseRecord(line: string): BatchRecord | undefined {
  try {
    return batchRecordSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
