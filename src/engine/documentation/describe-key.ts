import type { JsonSchema } from "#config/setting-names.ts";
import { alternatives, schemaWords } from "#engine/documentation/schema-words.ts";
import type { Topic, TopicKey } from "#model/topic.ts";

/** What a key of a document means, from the schema that checks it; undefined when there is none. */
export function describeKey(
  root: string,
  schema: JsonSchema,
  steps: readonly string[],
): Topic | undefined {
  let found: readonly JsonSchema[] = [schema];
  for (const step of steps) found = found.flatMap((one) => children(one, step));
  const [first] = found;
  if (first === undefined) return undefined;
  const name = [root, ...steps].join(".");
  const summaries = found.map(({ description }) => description ?? "").filter(Boolean);
  const forms = [...new Set(found.map(schemaWords))].join(", or ");
  const initial = found.find((one) => one.default !== undefined)?.default;
  const facts: [string, string][] = [["form", forms]];
  if (initial !== undefined) facts.push(["unless said", JSON.stringify(initial)]);
  return {
    name,
    kind: "key",
    summary: [...new Set(summaries)].join(" "),
    facts,
    keys: keysBelow(found),
  };
}

/** Every key below some schemas, each once. */
export function keysBelow(schemas: readonly JsonSchema[]): readonly TopicKey[] {
  const keys = new Map<string, TopicKey>();
  for (const schema of schemas.flatMap(structures)) {
    const required: unknown = schema["required"];
    for (const [name, below] of Object.entries(schema.properties ?? {})) {
      const summary = below.description ?? below.items?.description ?? "";
      const isRequired = Array.isArray(required) && required.includes(name);
      if (!keys.has(name)) keys.set(name, { name, required: isRequired, summary });
    }
  }
  return [...keys.values()];
}

function children(schema: JsonSchema, step: string): readonly JsonSchema[] {
  return structures(schema).flatMap((structure): readonly JsonSchema[] => {
    const named = structure.properties?.[step];
    if (named !== undefined) return [named];
    const others: unknown = structure["additionalProperties"];
    // Under `classes:` and `vars:` people choose the names.
    return typeof others === "object" && others !== null ? [others as JsonSchema] : [];
  });
}

/** The maps behind a schema: of its choices, of the items of a list, of what a driver adds. */
function structures(schema: JsonSchema): readonly JsonSchema[] {
  const { allOf = [] } = schema as { readonly allOf?: readonly { then?: JsonSchema }[] };
  const added = allOf.flatMap((one) => (one.then === undefined ? [] : [one.then]));
  const below = [
    ...alternatives(schema),
    ...(schema.items === undefined ? [] : [schema.items]),
    ...added,
  ];
  return [schema, ...below.flatMap(structures)];
}
