import type {
  SnapshotCar,
  SnapshotDiff,
  SnapshotReport,
  SnapshotSummary,
  SnapshotTransfer,
} from "#model/index-snapshot.ts";
import { at } from "./sample-values.ts";

export const sampleSnapshot: SnapshotSummary = {
  cid: "bafysnapshot",
  takenAt: at,
  parent: "bafyparent",
  objects: 10,
  parts: 30,
  bytes: 4_096,
  commits: 7,
  schema: 10,
  duckdb: "v1.5.6",
};

export const sampleTransfer: SnapshotTransfer = {
  ...sampleSnapshot,
  backend: "s3",
  partsMoved: 3,
  bytesMoved: 2_048,
  tailsMoved: 1,
};

export const sampleSnapshotCar: SnapshotCar = {
  ...sampleSnapshot,
  file: "/exports/é.car",
  carBytes: 5_000,
};

export const sampleSnapshotReport: SnapshotReport = {
  ...sampleSnapshot,
  unchanged: false,
  partsWritten: 2,
  bytesWritten: 400,
};

export const sampleSnapshotDiff: SnapshotDiff = {
  from: "bafyparent",
  to: "bafysnapshot",
  tables: [
    {
      family: "heat",
      table: "objects",
      added: 1,
      removed: 0,
      changed: 2,
      partsCompared: 1,
      parts: 4,
    },
  ],
};
