import { z } from "zod";
import { blockedSchema, planActionSchema, planSchema } from "#model/plan-schema.ts";
import { count, type Shape, shapeOf } from "#model/shape.ts";
import type { UndoReport, UndoRequest } from "#model/undo.ts";
import { reference } from "#api/schemas/input.ts";
import { runSchema } from "#api/schemas/run-schema.ts";

const copies = z.looseObject({ copies: count, bytes: count });

/** An order to undo. */
export const undoInput = z.strictObject({
  run: reference,
  dryRun: z.boolean().exactOptional(),
  expectCid: reference.exactOptional(),
  override: z.array(reference).max(20).exactOptional(),
} satisfies Shape<UndoRequest>);

/** What can be undone of a run, and what cannot. */
export const undoReportSchema = shapeOf<UndoReport>({
  run: z.string(),
  removed: copies,
  plan: planSchema,
  sample: z.array(planActionSchema),
  back: count,
  blocked: z.array(blockedSchema),
  gone: z.array(z.looseObject({ backend: z.string(), copies: count })),
  made: copies,
  marked: count,
  started: runSchema.optional(),
});
