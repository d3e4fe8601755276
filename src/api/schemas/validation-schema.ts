import { z } from "zod";
import type { Diagnostic } from "#model/diagnostic.ts";
import type { ValidationReport } from "#model/engine-api.ts";
import { count, optionalText, shapeOf } from "#model/shape.ts";

const position = z.looseObject({ line: z.int().positive(), column: z.int().positive() });

/** What the check of policy files found. */
export const validationReportSchema = shapeOf<ValidationReport>({
  policies: count,
  rules: count,
  switchedOff: count.optional(),
  diagnostics: z.array(
    shapeOf<Diagnostic>({
      file: z.string(),
      range: z.looseObject({ start: position, end: position }),
      severity: z.enum(["error", "warning", "info"]),
      code: z.string(),
      message: z.string(),
      hint: optionalText,
    }),
  ),
});
