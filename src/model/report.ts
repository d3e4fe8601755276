import type { BudgetState } from "#model/budget.ts";
import type { AsOf } from "#model/index-snapshot.ts";

export const reportNames = ["usage", "heat", "copies", "cost", "age"] as const;
export type ReportName = (typeof reportNames)[number];

/** What the rows of a report are: name and meaning. */
export const reportGroupings = {
  tier: "tier of the backends with a copy; empty: objects without any copy",
  backend: "backend with a copy, also one that left the configuration; empty: without any copy",
  region: "region of these backends, `none` for those without one; empty: without any copy",
  owner: "owner of the objects; empty: those without one",
  collection: "collection of the objects; empty: those in none",
  type: "media type of the objects; empty: unknown",
} as const;
export type ReportGrouping = keyof typeof reportGroupings;

export interface ReportRequest extends AsOf {
  readonly report: ReportName;
  readonly by: ReportGrouping;
  /** A policy expression: only these objects, and their copies. */
  readonly where?: string;
  /** The first so many groups; totals count all. */
  readonly limit?: number;
}

export interface ReportExportRequest extends Omit<ReportRequest, "limit"> {
  /** On the controller's machine; its extension says the format. */
  readonly file: string;
}

export interface Report {
  readonly report: ReportName;
  readonly by: ReportGrouping;
  /** The moment to which heat and age are told. */
  readonly at: string;
  readonly columns: readonly ReportColumn[];
  /** How many groups there are in all. */
  readonly groups: number;
  /** Backends and what they have in common from warm to cold, others by what the report is about. */
  readonly rows: readonly ReportRow[];
  /** Over all groups, each object and each copy counted once. */
  readonly totals: ReportValues;
  /** Of the report on cost: how the budgets of the policies stand, whatever the groups are. */
  readonly budgets?: readonly BudgetState[];
}

export type ReportUnit = "count" | "bytes" | "usd" | "heat";

export interface ReportColumn {
  readonly name: string;
  readonly unit: ReportUnit;
  readonly meaning: string;
  /** A chart of the report shows it; several such columns are the parts of one bar. */
  readonly charted: boolean;
}

export interface ReportRow {
  /** Absent for the group that has no name. */
  readonly group?: string;
  readonly values: ReportValues;
}

/** By name of the column. */
export type ReportValues = Readonly<Record<string, number>>;
