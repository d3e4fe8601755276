import type { ZodType, core } from "zod";

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
  const { def } = (schema as core.$ZodTypes)._zod;
  switch (def.type) {
    case "optional":
    case "nullable":
    case "default":
    case "prefault":
    case "nonoptional":
    case "readonly":
    case "catch":
      visit(def.innerType, parent, depth, visitor);
      return;
    case "pipe":
      visit(def.in, parent, depth, visitor);
      return;
    case "array":
      visit(def.element, parent, depth, visitor);
      return;
    case "record":
      visit(def.valueType, parent, depth + 1, visitor);
      return;
    case "union":
      for (const option of def.options) visit(option, parent, depth, visitor);
      return;
    case "object":
      visitor(parent, Object.keys(def.shape));
      for (const [key, field] of Object.entries(def.shape)) visit(field, key, depth + 1, visitor);
      return;
    default:
  }
}
