import { z } from "zod";
import {
  snapshotFamilies,
  type SnapshotCar,
  type SnapshotDiff,
  type SnapshotGcReport,
  type SnapshotList,
  type SnapshotReport,
  type SnapshotSummary,
  type SnapshotTableDiff,
  type SnapshotTransfer,
} from "#model/index-snapshot.ts";
import { count, optionalText, type Shape, shapeOf, time } from "#model/shape.ts";

const summary = {
  cid: z.string(),
  takenAt: time,
  parent: optionalText,
  objects: count,
  parts: count,
  bytes: count,
  commits: count,
  schema: count,
  duckdb: z.string(),
} satisfies Shape<SnapshotSummary>;

export const snapshotSummarySchema = shapeOf<SnapshotSummary>(summary);

export const snapshotTransferSchema = shapeOf<SnapshotTransfer>({
  ...summary,
  backend: z.string(),
  partsMoved: count,
  bytesMoved: count,
  tailsMoved: count,
});

export const snapshotCarSchema = shapeOf<SnapshotCar>({
  ...summary,
  file: z.string(),
  carBytes: count,
});

export const snapshotReportSchema = shapeOf<SnapshotReport>({
  ...summary,
  unchanged: z.boolean(),
  partsWritten: count,
  bytesWritten: count,
});

export const snapshotListSchema = shapeOf<SnapshotList>({
  snapshots: z.array(snapshotSummarySchema),
  damaged: z.array(z.string()),
});

export const snapshotDiffSchema = shapeOf<SnapshotDiff>({
  from: z.string(),
  to: z.string(),
  tables: z.array(
    shapeOf<SnapshotTableDiff>({
      family: z.enum(snapshotFamilies),
      table: z.string(),
      added: count,
      removed: count,
      changed: count,
      partsCompared: count,
      parts: count,
    }),
  ),
});

export const snapshotGcSchema = shapeOf<SnapshotGcReport>({
  kept: z.array(z.string()),
  removed: z.array(z.string()),
  partsRemoved: count,
  bytesRemoved: count,
});
