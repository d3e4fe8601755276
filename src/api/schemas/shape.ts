import { z } from "zod";

/** One schema per key of `T`, none forgotten: the type check fails when the model grows. */
export type Shape<T> = { readonly [Key in keyof T]-?: z.ZodType };

/** What a model type looks like on the wire: unknown keys are allowed, so that it may grow. */
export function shapeOf<T>(shape: Shape<T>): z.ZodObject<Shape<T>, z.core.$loose> {
  return z.looseObject(shape);
}

/** A count or a number of bytes. */
export const count = z.int().nonnegative();

/** ISO 8601 in UTC. */
export const time = z.iso.datetime();

/** Text, or absent. */
export const optionalText = z.string().optional();
