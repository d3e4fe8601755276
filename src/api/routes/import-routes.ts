import { z } from "zod";
import { accessLogFormats } from "#model/access-log.ts";
import type { ImportRequest, VerifyRequest } from "#model/engine-api.ts";
import { manifestFormats, type ManifestRequest } from "#model/object-manifest.ts";
import type { Shape } from "#model/shape.ts";
import type { Route } from "#api/route.ts";
import { defineRoute } from "#api/route.ts";
import { absolutePath, reference } from "#api/schemas/input.ts";
import {
  accessImportReportSchema,
  importProgressSchema,
  manifestProgressSchema,
  verifyProgressSchema,
} from "#api/schemas/import-schema.ts";

/** What brings facts into the index: imports, access logs, verification. */
export const importRoutes: readonly Route[] = [
  defineRoute({
    method: "POST",
    path: "/api/v1/imports/directory",
    operation: "importDirectory",
    summary: "Import a directory tree of the controller's machine; answers with progress",
    input: z.strictObject({
      path: absolutePath,
      backend: reference,
      collection: reference.exactOptional(),
      owner: reference.exactOptional(),
      tags: z.array(reference).max(100).exactOptional(),
      prefix: z.string().max(4_096).exactOptional(),
      dryRun: z.boolean().exactOptional(),
    } satisfies Shape<ImportRequest>),
    answer: { kind: "ndjson", schema: importProgressSchema },
    handle: ({ api }, request) => api.importDirectory(request),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/imports/manifest",
    operation: "importManifest",
    summary: "Enter the objects that a manifest names; answers with progress",
    input: z.strictObject({
      path: absolutePath,
      format: z.enum(manifestFormats).exactOptional(),
      backend: reference.exactOptional(),
      collection: reference.exactOptional(),
      owner: reference.exactOptional(),
      tags: z.array(reference).max(100).exactOptional(),
      prefix: z.string().max(4_096).exactOptional(),
      dryRun: z.boolean().exactOptional(),
      restart: z.boolean().exactOptional(),
    } satisfies Shape<ManifestRequest>),
    answer: { kind: "ndjson", schema: manifestProgressSchema },
    handle: ({ api }, request) => api.importManifest(request),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/imports/accesses/{batchId}",
    operation: "importAccesses",
    summary: "Count reads from the lines of an access log; what was counted counts once",
    streams: "lines",
    input: z.strictObject({
      batchId: z.string().min(1).max(500),
      format: z.enum([...accessLogFormats, "auto"]).exactOptional(),
      prefix: absolutePath.exactOptional(),
    }),
    answer: { kind: "json", schema: accessImportReportSchema },
    handle: ({ api }, { batchId, ...options }, body) =>
      api.importAccesses(batchId, body.lines(), options),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/verify",
    operation: "verify",
    summary: "Re-hash copies at their backends and record what is found",
    input: z.strictObject({
      backend: reference.exactOptional(),
      where: z.string().max(100_000).exactOptional(),
      dryRun: z.boolean().exactOptional(),
    } satisfies Shape<VerifyRequest>),
    answer: { kind: "ndjson", schema: verifyProgressSchema },
    handle: ({ api }, request) => api.verify(request),
  }),
];
