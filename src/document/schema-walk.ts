import type { ZodType, core } from "zod";
import type { DocumentPath } from "#document/document-places.ts";

/** The keys that the map at a path may have; a union adds up what its fitting options allow. */
export function allowedKeys(schema: ZodType, path: DocumentPath, raw: unknown): string[] {
  let schemas: readonly core.$ZodType[] = objectsBehind(schema, raw);
  let value = raw;
  for (const step of path) {
    value = typeof value === "object" && value !== null ? Reflect.get(value, step) : undefined;
    const below = value;
    schemas = schemas
      .map((candidate) => childSchema(candidate, step))
      .filter((child) => child !== undefined)
      .flatMap((child) => objectsBehind(child, below));
  }
  const keys = schemas.flatMap((candidate) => {
    const { def } = (candidate as core.$ZodTypes)._zod;
    return def.type === "object" ? Object.keys(def.shape) : [];
  });
  return [...new Set(keys)];
}

function childSchema(schema: core.$ZodType, step: PropertyKey): core.$ZodType | undefined {
  const { def } = (schema as core.$ZodTypes)._zod;
  if (def.type === "object") return def.shape[String(step)];
  if (def.type === "array") return def.element;
  if (def.type === "record") return def.valueType;
  if (def.type === "tuple") return def.items[Number(step)];
  return undefined;
}

/** Unwraps optional, default, pipe, lazy and union down to what describes a structure. */
function objectsBehind(schema: core.$ZodType, value: unknown): readonly core.$ZodType[] {
  const { def } = (schema as core.$ZodTypes)._zod;
  switch (def.type) {
    case "optional":
    case "nullable":
    case "default":
    case "prefault":
    case "nonoptional":
    case "readonly":
    case "catch":
      return objectsBehind(def.innerType, value);
    case "pipe":
      return objectsBehind(def.in, value);
    case "lazy":
      return objectsBehind(def.getter(), value);
    case "intersection":
      return [...objectsBehind(def.left, value), ...objectsBehind(def.right, value)];
    case "union":
      return def.options
        .flatMap((option) => objectsBehind(option, value))
        .filter((option) => discriminatorsFit(option, value));
    default:
      return [schema];
  }
}

/** False when a literal key of the option (`kind: x`) contradicts the value. */
function discriminatorsFit(schema: core.$ZodType, value: unknown): boolean {
  const { def } = (schema as core.$ZodTypes)._zod;
  if (def.type !== "object" || typeof value !== "object" || value === null) return true;
  return Object.entries(def.shape).every(([key, field]) => {
    const fieldDef = (field as core.$ZodTypes)._zod.def;
    if (fieldDef.type !== "literal" || !Object.hasOwn(value, key)) return true;
    return fieldDef.values.includes(Reflect.get(value, key) as never);
  });
}
