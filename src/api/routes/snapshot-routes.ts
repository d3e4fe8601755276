import { z } from "zod";
import type { Route } from "#api/route.ts";
import { defineRoute } from "#api/route.ts";
import { absolutePath, reference } from "#api/schemas/input.ts";
import {
  snapshotCarSchema,
  snapshotDiffSchema,
  snapshotGcSchema,
  snapshotListSchema,
  snapshotReportSchema,
  snapshotSummarySchema,
  snapshotTransferSchema,
} from "#api/schemas/snapshot-schema.ts";
import type {
  SnapshotDiffRequest,
  SnapshotExportRequest,
  SnapshotGcRequest,
  SnapshotListRequest,
  SnapshotPullRequest,
  SnapshotPushRequest,
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
    summary: "The snapshots in the data directory, or on a backend, the newest first",
    input: z.strictObject({
      on: reference.exactOptional(),
    } satisfies Shape<SnapshotListRequest>),
    answer: { kind: "json", schema: snapshotListSchema },
    handle: ({ api }, request) => api.snapshots(request),
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/snapshots/find",
    operation: "findSnapshot",
    summary: "A snapshot in the data directory by CID, its beginning, `newest`, or a time",
    input: z.strictObject({ reference }),
    answer: { kind: "json", schema: snapshotSummarySchema },
    handle: ({ api }, input) => api.findSnapshot(input.reference),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/snapshots/push",
    operation: "pushSnapshot",
    summary: "Send to a backend what it lacks of a snapshot",
    input: z.strictObject({
      snapshot: reference,
      to: reference,
      full: z.boolean().exactOptional(),
    } satisfies Shape<SnapshotPushRequest>),
    answer: { kind: "json", schema: snapshotTransferSchema },
    handle: ({ api }, request) => api.pushSnapshot(request),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/snapshots/pull",
    operation: "pullSnapshot",
    summary: "Fetch from a backend what is not in the data directory of a snapshot",
    input: z.strictObject({
      snapshot: reference,
      from: reference,
      full: z.boolean().exactOptional(),
      passing: z.boolean().exactOptional(),
    } satisfies Shape<SnapshotPullRequest>),
    answer: { kind: "json", schema: snapshotTransferSchema },
    handle: ({ api }, request) => api.pullSnapshot(request),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/snapshots/export",
    operation: "exportSnapshot",
    summary: "Write a snapshot as one CAR on the controller's machine",
    input: z.strictObject({
      snapshot: reference,
      file: absolutePath,
    } satisfies Shape<SnapshotExportRequest>),
    answer: { kind: "json", schema: snapshotCarSchema },
    handle: ({ api }, request) => api.exportSnapshot(request),
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
      on: reference.exactOptional(),
    } satisfies Shape<SnapshotGcRequest>),
    answer: { kind: "json", schema: snapshotGcSchema },
    handle: ({ api }, request) => api.collectSnapshots(request),
  }),
];
