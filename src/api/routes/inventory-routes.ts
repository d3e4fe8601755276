import { z } from "zod";
import type { Route } from "#api/route.ts";
import { defineRoute } from "#api/route.ts";
import { absolutePath, pathOrBucketUrl, queryNumber, reference } from "#api/schemas/input.ts";
import {
  driftEntrySchema,
  inventoryProgressSchema,
  inventoryReportSchema,
} from "#api/schemas/inventory-schema.ts";
import { rowFileSchema } from "#api/schemas/row-file-schema.ts";
import {
  type DriftExportRequest,
  driftKinds,
  type DriftRequest,
  type InventoryRequest,
} from "#model/inventory.ts";
import type { Shape } from "#model/shape.ts";

const request = {
  backend: reference.exactOptional(),
  kind: z.enum(driftKinds).exactOptional(),
  limit: queryNumber.exactOptional(),
} satisfies Shape<DriftRequest>;

/** What backends hold against what the index believes. */
export const inventoryRoutes: readonly Route[] = [
  defineRoute({
    method: "POST",
    path: "/api/v1/imports/inventory",
    operation: "importInventory",
    summary:
      "Compare what a backend lists with the index, correct the index; answers with progress",
    input: z.strictObject({
      backend: reference,
      s3Inventory: pathOrBucketUrl.exactOptional(),
      dryRun: z.boolean().exactOptional(),
      restart: z.boolean().exactOptional(),
    } satisfies Shape<InventoryRequest>),
    answer: { kind: "ndjson", schema: inventoryProgressSchema },
    handle: ({ api }, input) => api.importInventory(input),
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/inventories",
    operation: "inventories",
    summary: "The newest inventory of each backend that has one",
    input: z.strictObject({}),
    answer: { kind: "json", schema: z.array(inventoryReportSchema) },
    handle: ({ api }) => api.inventories(),
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/drift",
    operation: "drift",
    summary: "What the newest inventories found different from the index, in pieces",
    input: z.strictObject(request),
    answer: { kind: "ndjson", schema: z.array(driftEntrySchema) },
    handle: ({ api }, input) => api.drift(input),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/drift/export",
    operation: "exportDrift",
    summary:
      "Write what the newest inventories found different to a file of the controller's machine",
    input: z.strictObject({ ...request, file: absolutePath } satisfies Shape<DriftExportRequest>),
    answer: { kind: "json", schema: rowFileSchema },
    handle: ({ api }, input) => api.exportDrift(input),
  }),
];
