import type { EngineApi } from "#model/engine-api.ts";

/** What can be asked about snapshots where there is no index. */
export type SnapshotApi = Pick<
  EngineApi,
  | "snapshots"
  | "findSnapshot"
  | "diffSnapshots"
  | "collectSnapshots"
  | "pushSnapshot"
  | "pullSnapshot"
  | "exportSnapshot"
>;

/** What a snapshot answers in the place of the index. */
export type ReadingApi = Pick<
  EngineApi,
  | "plan"
  | "objects"
  | "exportObjects"
  | "report"
  | "exportReport"
  | "query"
  | "queryArrow"
  | "exportQuery"
>;
