import { z } from "zod";
import type { ObjectDetail, ObjectSummary } from "#model/engine-api.ts";
import type { Shape } from "#model/shape.ts";
import { confidences, copyStates, forms } from "#model/copy.ts";
import { count, optionalText, shapeOf, time } from "#model/shape.ts";

const summary: Shape<ObjectSummary> = {
  objectId: count,
  cid: z.string(),
  size: count,
  path: optionalText,
  nameCount: count,
  type: optionalText,
  collection: optionalText,
  owner: optionalText,
  heat: z.number(),
  accessed: time.optional(),
  backends: z.array(z.string()),
  verified: count,
  held: z.boolean(),
};

/** One object in a list. */
export const objectSummarySchema = shapeOf<ObjectSummary>(summary);

/** One object with its copies and history. */
export const objectDetailSchema = shapeOf<ObjectDetail>({
  ...summary,
  profile: z.string(),
  names: z.array(z.string()),
  tags: z.array(z.string()),
  created: time,
  ingested: time,
  reads: count,
  copies: z.array(
    shapeOf<ObjectDetail["copies"][number]>({
      backend: z.string(),
      form: z.enum(forms),
      state: z.enum(copyStates),
      confidence: z.enum(confidences),
      bytes: count,
      checkedAt: time.optional(),
      lock: shapeOf<NonNullable<ObjectDetail["copies"][number]["lock"]>>({
        legalHold: z.boolean(),
        until: time.optional(),
        mode: optionalText,
        seenAt: time,
      }).optional(),
    }),
  ),
  history: z.array(z.looseObject({ at: time, kind: z.string(), reason: z.string() })),
});
