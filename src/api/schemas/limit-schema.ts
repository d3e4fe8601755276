import { z } from "zod";
import type {
  BackendShare,
  BackendUse,
  EffectiveLimits,
  LimitOverride,
  LimitUse,
  ShareRequest,
} from "#model/backend-limits.ts";
import { moment, reference } from "#api/schemas/input.ts";
import { optionalText, type Shape, shapeOf, time } from "#model/shape.ts";

const batches = z.int().min(1).max(256);
const perSecond = z.number().nonnegative();

const overrideSchema = shapeOf<LimitOverride>({
  backend: z.string(),
  concurrency: batches.optional(),
  perNode: batches.optional(),
  rate: optionalText,
  bandwidth: optionalText,
  until: time.optional(),
  reason: optionalText,
});

/** What counts for a backend at this moment. */
export const effectiveLimitsSchema = shapeOf<EffectiveLimits>({
  backend: z.string(),
  concurrency: batches,
  perNode: batches,
  rate: z.string(),
  bandwidth: z.string(),
  uploadBytesPerSecond: perSecond.optional(),
  downloadBytesPerSecond: perSecond.optional(),
  timetable: optionalText,
  entry: optionalText,
  nextChange: z.looseObject({ at: time, bandwidth: z.string() }).optional(),
  override: overrideSchema.optional(),
  heldUntil: time.optional(),
  nodes: z.array(z.string()),
});

/** What a person sets; what is left out stays as it is. */
export const limitOverrideInput = z.strictObject({
  backend: reference,
  concurrency: batches.exactOptional(),
  perNode: batches.exactOptional(),
  rate: reference.exactOptional(),
  bandwidth: reference.exactOptional(),
  until: moment.transform((text) => new Date(text).toISOString()).exactOptional(),
  reason: reference.exactOptional(),
} satisfies Shape<LimitOverride>);

const use = z.strictObject({
  wanted: perSecond.nullable(),
  holding: perSecond.exactOptional(),
} satisfies Shape<LimitUse>);

/** What a node says of its use. */
export const shareRequestInput = z.strictObject({
  node: reference,
  backends: z
    .array(
      z.strictObject({
        backend: reference,
        active: z.boolean(),
        upload: use,
        download: use,
        requests: use,
        holdMs: perSecond.exactOptional(),
      } satisfies Shape<BackendUse>),
    )
    .max(256),
} satisfies Shape<ShareRequest>);

export const backendShareSchema = shapeOf<BackendShare>({
  backend: z.string(),
  perNode: batches,
  upload: perSecond.optional(),
  download: perSecond.optional(),
  requests: perSecond.optional(),
  holdMs: perSecond.optional(),
});
