import { z } from "zod";
import { confidences, forms, tiers } from "#model/copy.ts";
import type { KeptFact, ObjectSource, ObjectSources, StoredObject } from "#model/object-content.ts";
import { count, optionalText, shapeOf } from "#model/shape.ts";

/** What became of content that was handed in. */
export const storedObjectSchema = shapeOf<StoredObject>({
  cid: z.string(),
  size: count,
  backend: z.string(),
  form: z.enum(forms),
  bytes: count,
  confidence: z.enum(confidences),
  moved: z.boolean(),
  added: z.boolean(),
  kept: z.array(
    shapeOf<KeptFact>({
      fact: z.enum(["collection", "owner"]),
      value: z.string(),
      given: z.string(),
    }),
  ),
});

/** Where an object can be read. */
export const objectSourcesSchema = shapeOf<ObjectSources>({
  cid: z.string(),
  size: count,
  profile: z.string(),
  type: optionalText,
  names: z.array(z.string()),
  sources: z.array(
    shapeOf<ObjectSource>({
      backend: z.string(),
      tier: z.enum(tiers),
      form: z.enum(forms),
      confidence: z.enum(confidences),
    }),
  ),
  damaged: z.array(z.string()),
});
