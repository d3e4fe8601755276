import { z } from "zod";
import { budgetStateSchema } from "#model/plan-schema.ts";
import {
  type Report,
  type ReportColumn,
  type ReportGrouping,
  reportGroupings,
  reportNames,
  type ReportRow,
  type ReportUnit,
} from "#model/report.ts";
import { count, optionalText, shapeOf, time } from "#model/shape.ts";

/** The name of a report. */
export const reportName = z.enum(reportNames);

/** What its rows are. */
export const reportGrouping = z.enum(
  Object.keys(reportGroupings) as [ReportGrouping, ...ReportGrouping[]],
);

// Not as counts: sums of bytes may be larger than the integers that JSON readers keep exactly.
const values = z.record(z.string(), z.number());
const units = ["count", "bytes", "usd", "heat"] as const satisfies readonly ReportUnit[];

/** A report. */
export const reportSchema = shapeOf<Report>({
  report: reportName,
  by: reportGrouping,
  at: time,
  columns: z.array(
    shapeOf<ReportColumn>({
      name: z.string(),
      unit: z.enum(units),
      meaning: z.string(),
      charted: z.boolean(),
    }),
  ),
  groups: count,
  rows: z.array(shapeOf<ReportRow>({ group: optionalText, values })),
  totals: values,
  budgets: z.array(budgetStateSchema).optional(),
});
