import { z } from "zod";
import type { Route } from "#api/route.ts";
import { defineRoute } from "#api/route.ts";
import {
  batchCheckSchema,
  batchGcSchema,
  batchRecordSchema,
  batchTagsSchema,
  toldBatchSchema,
} from "#api/schemas/batch-schema.ts";
import { absolutePath, asOf, queryNumber, reference } from "#api/schemas/input.ts";
import { rowFileSchema } from "#api/schemas/row-file-schema.ts";
import type {
  BatchExportRequest,
  BatchGcRequest,
  BatchListRequest,
  BatchPublishRequest,
  BatchTags,
} from "#model/record-batch.ts";
import type { Shape } from "#model/shape.ts";

const textMax = 1_000_000;
const listMax = 100_000;
const whole = z.int().nonnegative();

/** Tags in a query string: a JSON object. */
const tagsInQuery = z.string().transform((text, context): BatchTags => {
  try {
    return batchTagsSchema.parse(JSON.parse(text));
  } catch {
    context.addIssue({ code: "custom", message: 'must be a JSON object, such as {"kind":"plan"}' });
    return z.NEVER;
  }
});

/** Record batches: Arrow files by CID. */
export const batchRoutes: readonly Route[] = [
  defineRoute({
    method: "POST",
    path: "/api/v1/batches",
    operation: "publishBatch",
    summary: "Publish the rows of a query, a plan or a file as an Arrow file named by CID",
    input: z.strictObject({
      ...asOf,
      query: z.string().min(1).max(textMax).exactOptional(),
      plan: reference.exactOptional(),
      file: absolutePath.exactOptional(),
      tags: batchTagsSchema.exactOptional(),
    } satisfies Shape<BatchPublishRequest>),
    answer: { kind: "json", schema: batchRecordSchema },
    handle: ({ api }, request) => api.publishBatch(request),
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/batches",
    operation: "batches",
    summary: "Published batches, the newest first",
    input: z.strictObject({
      tags: tagsInQuery.exactOptional(),
      limit: queryNumber.pipe(z.number().max(listMax)).default(100),
    } satisfies Shape<BatchListRequest>),
    answer: { kind: "json", schema: z.array(batchRecordSchema) },
    handle: ({ api }, request) => api.batches(request),
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/batches/feed",
    operation: "followBatches",
    summary: "Batches as they are published, from now on or after a cursor (all after 0.0)",
    input: z.strictObject({ after: z.string().max(40).exactOptional() }),
    answer: { kind: "ndjson", schema: toldBatchSchema },
    handle: ({ api }, { after }) => api.followBatches(after),
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/batches/{batch}/arrow",
    operation: "batch",
    summary: "A batch as the Arrow file it is, checked against its CID",
    input: z.strictObject({ batch: reference }),
    answer: { kind: "bytes", type: "application/vnd.apache.arrow.file" },
    handle: ({ api }, { batch }) => api.batch(batch),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/batches/check",
    operation: "checkBatches",
    summary: "Read batches again (default all) and say whether they have their CIDs",
    input: z.strictObject({ batches: z.array(reference).max(listMax).exactOptional() }),
    answer: { kind: "json", schema: z.array(batchCheckSchema) },
    handle: ({ api }, { batches }) => api.checkBatches(batches),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/batches/export",
    operation: "exportBatch",
    summary: "Write a batch to a file of the controller's machine: .car, .parquet, .arrow, …",
    input: z.strictObject({
      batch: reference,
      file: absolutePath,
    } satisfies Shape<BatchExportRequest>),
    answer: { kind: "json", schema: rowFileSchema },
    handle: ({ api }, request) => api.exportBatch(request),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/batches/gc",
    operation: "collectBatches",
    summary: "Give up old batches, and what publishers left who died",
    input: z.strictObject({
      olderThanMs: whole.exactOptional(),
      keep: whole.exactOptional(),
      dryRun: z.boolean().exactOptional(),
    } satisfies Shape<BatchGcRequest>),
    answer: { kind: "json", schema: batchGcSchema },
    handle: ({ api }, request) => api.collectBatches(request),
  }),
];
