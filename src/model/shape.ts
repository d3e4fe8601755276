import { z } from "zod";

/** A schema for each key of `T`, and of its type; none forgotten when the model grows. */
export type Shape<T> = { readonly [Key in keyof T]-?: z.ZodType<T[Key]> };

/** What a model type looks like on the wire: unknown keys are allowed, so that it may grow. */
export function shapeOf<T>(shape: Shape<T>): z.ZodType<T> {
  // To zod an absent key may also be undefined; JSON knows no undefined.
  return z.looseObject(shape) as z.ZodType as z.ZodType<T>;
}

/** A count or a number of bytes. */
export const count = z.int().nonnegative();

/** ISO 8601 in UTC. */
export const time = z.iso.datetime();

/** Text, or absent. */
export const optionalText = z.string().optional();
