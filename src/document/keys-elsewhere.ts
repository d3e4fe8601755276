import type { ZodType, core } from "zod";
import { unwrappedSchemas } from "#document/unwrapped-schemas.ts";

/** Schemas nest a few levels; more than this is none that anybody wrote. */
const depthMax = 8;

/** The keys under which a document may say a key: `priority` → `metadata`. At most four. */
export function keysElsewhere(schema: ZodType, key: string): readonly string[] {
  const found = new Set<string>();
  visit(schema, undefined, 0, (parent, keys) => {
    if (parent !== undefined && keys.includes(key)) found.add(parent);
  });
  return [...found].slice(0, 4);
}

type Visitor = (parent: string | undefined, keys: readonly string[]) => void;

function visit(
  schema: core.$ZodType,
  parent: string | undefined,
  depth: number,
  visitor: Visitor,
): void {
  if (depth > depthMax) return;
  for (const one of unwrappedSchemas(schema)) {
    const { def } = (one as core.$ZodTypes)._zod;
    if (def.type === "array") visit(def.element, parent, depth, visitor);
    if (def.type === "record") visit(def.valueType, parent, depth + 1, visitor);
    if (def.type !== "object") continue;
    visitor(parent, Object.keys(def.shape));
    for (const [key, field] of Object.entries(def.shape)) visit(field, key, depth + 1, visitor);
  }
}
