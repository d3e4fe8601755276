import type { ZodType, core } from "zod";
import type { DocumentPath } from "#document/document-places.ts";
import { unwrappedSchemas } from "#document/unwrapped-schemas.ts";

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

/** What describes the structure of a value; of several, those that its literal keys allow. */
function objectsBehind(schema: core.$ZodType, value: unknown): readonly core.$ZodType[] {
  const behind = unwrappedSchemas(schema);
  return behind.length === 1 ? behind : behind.filter((one) => discriminatorsFit(one, value));
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
