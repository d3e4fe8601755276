import type { JsonSchema } from "#config/setting-names.ts";

/** The form of a value in words: `text`, `"a" or "b"`, `list of maps`. */
export function schemaWords(schema: JsonSchema): string {
  const options = alternatives(schema);
  if (options.length > 0) return [...new Set(options.map(schemaWords))].join(" or ");
  if ("const" in schema) return JSON.stringify(schema["const"]);
  if (Array.isArray(schema["enum"])) return orList(schema["enum"].map(String));
  // draft-07 allows several types at once.
  const types: readonly unknown[] = Array.isArray(schema.type) ? schema.type : [schema.type];
  return orList(types.map((type) => typeWords(String(type), schema)));
}

/** The branches of a choice. */
export function alternatives(schema: JsonSchema): readonly JsonSchema[] {
  const { anyOf } = schema as { readonly anyOf?: readonly JsonSchema[] };
  return anyOf ?? [];
}

function typeWords(type: string, { items }: JsonSchema): string {
  switch (type) {
    case "string":
      return "text";
    case "integer":
      return "a whole number";
    case "number":
      return "a number";
    case "boolean":
      return "true or false";
    case "array":
      return items === undefined ? "a list" : `a list of: ${schemaWords(items)}`;
    case "object":
      return "a map";
    default:
      return "any value";
  }
}

function orList(words: readonly string[]): string {
  return words.join(" or ");
}
