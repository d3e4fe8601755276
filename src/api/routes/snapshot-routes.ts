import { z } from "zod";
import type { Route } from "#api/route.ts";
import { defineRoute } from "#api/route.ts";
import { reference } from "#api/schemas/input.ts";
import {
  snapshotDiffSchema,
  snapshotGcSchema,
  snapshotListSchema,
  snapshotReportSchema,
} from "#api/schemas/snapshot-schema.ts";
import type {
  SnapshotDiffRequest,
  SnapshotGcRequest,
  SnapshotRequest,
} from "#model/index-snapshot.ts";
import type { Shape } from "#model/shape.ts";

/** Snapshots of the index. */
export const snapshotRoutes: readonly Route[] = [
  defineRoute({
    method: "POST",
    path: "/api/v1/snapshots",
    operation: "takeSnapshot",
    summary: "Write the index as Parquet files and a manifest, named by CID",
    input: z.strictObject({ full: z.boolean().exactOptional() } satisfies Shape<SnapshotRequest>),
    answer: { kind: "json", schema: snapshotReportSchema },
    handle: ({ api }, request) => api.takeSnapshot(request),
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/snapshots",
    operation: "snapshots",
    summary: "The snapshots in the data directory, the newest first",
    input: z.strictObject({}),
    answer: { kind: "json", schema: snapshotListSchema },
    handle: ({ api }) => api.snapshots(),
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/snapshots/diff",
    operation: "diffSnapshots",
    summary: "How many rows of which tables differ between two snapshots",
    input: z.strictObject({
      from: reference,
      to: reference,
    } satisfies Shape<SnapshotDiffRequest>),
    answer: { kind: "json", schema: snapshotDiffSchema },
    handle: ({ api }, request) => api.diffSnapshots(request),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/snapshots/gc",
    operation: "collectSnapshots",
    summary: "Give up all but the newest snapshots, and the parts nobody shares any more",
    input: z.strictObject({
      keep: z.int().positive(),
      dryRun: z.boolean().exactOptional(),
    } satisfies Shape<SnapshotGcRequest>),
    answer: { kind: "json", schema: snapshotGcSchema },
    handle: ({ api }, request) => api.collectSnapshots(request),
  }),
];
