import type { core } from "zod";

/**
 * What describes a structure behind optional, default, pipe, lazy, intersection and union: one
 * schema, or several of which any may be meant. Of a pipe, what people write.
 */
export function unwrappedSchemas(schema: core.$ZodType): readonly core.$ZodType[] {
  const { def } = (schema as core.$ZodTypes)._zod;
  switch (def.type) {
    case "optional":
    case "nullable":
    case "default":
    case "prefault":
    case "nonoptional":
    case "readonly":
    case "catch":
      return unwrappedSchemas(def.innerType);
    case "pipe":
      return unwrappedSchemas(def.in);
    case "lazy":
      return unwrappedSchemas(def.getter());
    case "intersection":
      return [...unwrappedSchemas(def.left), ...unwrappedSchemas(def.right)];
    case "union":
      return def.options.flatMap((option) => unwrappedSchemas(option));
    default:
      return [schema];
  }
}
