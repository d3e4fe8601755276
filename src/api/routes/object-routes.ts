import { z } from "zod";
import { exportedPer, type ObjectsExportRequest, type ObjectsRequest } from "#model/engine-api.ts";
import type { QueryExportRequest } from "#model/query-api.ts";
import type { Shape } from "#model/shape.ts";
import type { Route } from "#api/route.ts";
import { defineRoute } from "#api/route.ts";
import { exactJson, plainJson } from "#api/json-values.ts";
import { absolutePath, asOf, queryNumber, reference } from "#api/schemas/input.ts";
import { rowFileSchema } from "#api/schemas/row-file-schema.ts";
import { objectDetailSchema, objectSummarySchema } from "#api/schemas/object-schema.ts";

const textMax = 100_000;

const selection = {
  where: z.string().max(textMax).exactOptional(),
  sort: z.string().min(1).max(textMax).exactOptional(),
  limit: queryNumber.exactOptional(),
  ...asOf,
} satisfies Shape<ObjectsRequest>;

/** Objects: list, show, hold, and read-only SQL. */
export const objectRoutes: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: "/api/v1/objects",
    operation: "objects",
    summary: "Objects that satisfy a policy expression, in pieces",
    input: z.strictObject({
      ...selection,
      limit: z.union([z.literal("all"), queryNumber]).default(100),
    }),
    answer: { kind: "ndjson", schema: z.array(objectSummarySchema) },
    handle: ({ api }, { limit, ...request }) =>
      api.objects(limit === "all" ? request : { ...request, limit }),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/objects/export",
    operation: "exportObjects",
    summary: "Write objects to a file of the controller's machine",
    input: z.strictObject({
      ...selection,
      file: absolutePath,
      per: z.enum(exportedPer).exactOptional(),
    } satisfies Shape<ObjectsExportRequest>),
    answer: { kind: "json", schema: rowFileSchema },
    handle: ({ api }, request) => api.exportObjects(request),
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/object",
    operation: "object",
    summary: "One object, by CID, path or number",
    input: z.strictObject({ reference }),
    answer: { kind: "json", schema: objectDetailSchema },
    handle: ({ api }, input) => api.object(input.reference),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/object/hold",
    operation: "setHold",
    summary: "Forbid, or allow again, the removal of any copy of an object",
    input: z.strictObject({ reference, held: z.boolean(), reason: z.string().max(4_096) }),
    answer: { kind: "json", schema: objectSummarySchema },
    handle: ({ api }, input) => api.setHold(input.reference, input.held, input.reason),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/query/arrow",
    operation: "queryArrow",
    summary: "Read-only SQL over the views; rows come as an Arrow IPC stream",
    input: z.strictObject({ ...asOf, text: z.string().min(1).max(textMax) }),
    answer: { kind: "bytes", type: "application/vnd.apache.arrow.stream" },
    handle: ({ api }, { text, ...options }) => api.queryArrow(text, options),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/query/export",
    operation: "exportQuery",
    summary: "Write the rows of a query to a file of the controller's machine",
    input: z.strictObject({
      ...asOf,
      text: z.string().min(1).max(textMax),
      file: absolutePath,
    } satisfies Shape<QueryExportRequest>),
    answer: { kind: "json", schema: rowFileSchema },
    handle: ({ api }, request) => api.exportQuery(request),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/query",
    operation: "query",
    summary: "Read-only SQL over the views; rows come in pieces",
    input: z.strictObject({
      ...asOf,
      text: z.string().min(1).max(textMax),
      exact: z
        .boolean()
        .default(false)
        .describe("Tag what JSON lacks: {$date}, {$bytes}, {$bigint}, {$number}, {$object}"),
    }),
    answer: {
      kind: "ndjson",
      schema: z.object({
        columns: z.array(z.string()),
        rows: z.array(z.record(z.string(), z.unknown())),
      }),
    },
    async *handle({ api }, { text, exact, ...options }) {
      for await (const { columns, rows } of api.query(text, options)) {
        yield { columns, rows: exact ? exactJson(rows) : plainJson(rows) };
      }
    },
  }),
];
