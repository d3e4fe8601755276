import { isAbsolute } from "node:path";
import { isBucketUrl } from "#model/bucket-url.ts";
import { z } from "zod";
import type { AsOf } from "#model/index-snapshot.ts";
import type { Shape } from "#model/shape.ts";

/** A name or reference given by the caller: bounded, not empty. */
export const reference = z.string().min(1).max(4_096);

/** A place on the controller's disks. Its working directory is not the caller's. */
export const absolutePath = reference.refine(isAbsolute, "must be an absolute path");

/** A file of the controller's machine, or something in a bucket. */
export const pathOrBucketUrl = reference.refine(
  (place) => isAbsolute(place) || isBucketUrl(place),
  "must be an absolute path or s3://BUCKET/KEY",
);

/** A moment with its zone. */
export const moment = z.iso.datetime({ offset: true });

/** A number in a query string. */
export const queryNumber = z.coerce.number().pipe(z.int().nonnegative());

const valuesMax = 1_000;
const valueLengthMax = 10_000;

/** Values for variables of policies. */
export const variableValues = z
  .record(reference, z.string().max(valueLengthMax))
  .refine((values) => Object.keys(values).length <= valuesMax, `at most ${valuesMax} variables`);

/** Something with parts in a query string: `what` says which JSON that is. */
export function jsonInQuery<Schema extends z.ZodType>(schema: Schema, what: string) {
  return z.string().transform((text, context): z.output<Schema> => {
    try {
      return schema.parse(JSON.parse(text));
    } catch {
      context.addIssue({ code: "custom", message: `must be ${what}` });
      return z.NEVER;
    }
  });
}

/** Asks a snapshot in the place of the index. */
export const asOf = { snapshot: reference.exactOptional() } satisfies Shape<AsOf>;
