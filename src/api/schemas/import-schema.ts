import { z } from "zod";
import { accessLogFormats } from "#model/access-log.ts";
import type { AccessImportReport, ImportProgress, VerifyProgress } from "#model/engine-api.ts";
import { manifestFormats, type ManifestProgress } from "#model/object-manifest.ts";
import { count, optionalText, shapeOf } from "#model/shape.ts";

const lineType = z.enum(["progress", "problem", "summary"]);

/** One line of the progress of an import. */
export const importProgressSchema = shapeOf<ImportProgress>({
  type: lineType,
  files: count,
  filesTotal: count.optional(),
  bytes: count,
  added: count,
  known: count,
  problems: count,
  elapsedMs: z.number(),
  message: optionalText,
});

/** One line of the progress of the import of a manifest. */
export const manifestProgressSchema = shapeOf<ManifestProgress>({
  type: z.enum(["progress", "summary"]),
  format: z.enum(manifestFormats),
  rows: count,
  rowsTotal: count.optional(),
  earlier: count,
  bytes: count,
  added: count,
  known: count,
  copies: count,
  malformed: count,
  malformedFile: optionalText,
  examples: z.array(z.string()),
  leftOut: count,
  ignored: z.array(z.string()),
  elapsedMs: z.number(),
});

/** One line of the progress of a verification. */
export const verifyProgressSchema = shapeOf<VerifyProgress>({
  type: lineType,
  copies: count,
  total: count,
  bytes: count,
  verified: count,
  absent: count,
  corrupt: count,
  elapsedMs: z.number(),
  message: optionalText,
});

/** What became of the lines of an access log. */
export const accessImportReportSchema = shapeOf<AccessImportReport>({
  applied: count,
  unknown: count,
  repeated: z.boolean(),
  lines: count,
  earlier: count,
  ignored: count,
  malformed: count,
  format: z.enum(accessLogFormats).optional(),
  malformedFile: optionalText,
  examples: z.array(z.string()),
});
