import { z } from "zod";
import type { Route } from "#api/route.ts";
import { defineRoute } from "#api/route.ts";
import { absolutePath, asOf, queryNumber } from "#api/schemas/input.ts";
import { reportGrouping, reportName, reportSchema } from "#api/schemas/report-schema.ts";
import { rowFileSchema } from "#api/schemas/row-file-schema.ts";
import type { ReportExportRequest, ReportRequest } from "#model/report.ts";
import type { Shape } from "#model/shape.ts";

const groupsMax = 100_000;

const request = {
  report: reportName,
  by: reportGrouping,
  where: z.string().max(100_000).exactOptional(),
  ...asOf,
} satisfies Shape<Omit<ReportRequest, "limit">>;

/** Figures of the index. */
export const reportRoutes: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: "/api/v1/reports/{report}",
    operation: "report",
    summary: "Figures of the index by group, and over all",
    input: z.strictObject({
      ...request,
      limit: queryNumber.pipe(z.number().min(1).max(groupsMax)).exactOptional(),
    } satisfies Shape<ReportRequest>),
    answer: { kind: "json", schema: reportSchema },
    handle: ({ api }, input) => api.report(input),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/reports/{report}/export",
    operation: "exportReport",
    summary: "Write all groups of a report to a file of the controller's machine",
    input: z.strictObject({
      ...request,
      file: absolutePath,
    } satisfies Shape<ReportExportRequest>),
    answer: { kind: "json", schema: rowFileSchema },
    handle: ({ api }, input) => api.exportReport(input),
  }),
];
