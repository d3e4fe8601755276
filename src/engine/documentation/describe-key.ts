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
  const summaries = found.flatMap((one) => {
    const { description = "" } = one;
    return description === "" ? [] : [byDriver([...driversOf(one)], description)];
  });
  const forms = [...new Set(found.map(schemaWords))].join(", or ");
  const initial = found.find((one) => one.default !== undefined)?.default;
  const facts: [string, string][] = [["form", forms]];
  if (initial !== undefined) facts.push(["unless said", JSON.stringify(initial)]);
  return {
    name,
    kind: "key",
    summary: [...new Set(summaries)].join(" ").replaceAll(" \n", "\n"),
    facts,
    keys: keysBelow(found),
  };
}

/** Every key below some schemas, each once; of options, once for the drivers that mean the same. */
export function keysBelow(schemas: readonly JsonSchema[]): readonly TopicKey[] {
  const keys = new Map<string, TopicKey & { readonly drivers: Set<string> }>();
  for (const schema of schemas.flatMap(structures)) {
    const required: unknown = schema["required"];
    const drivers = driversOf(schema);
    for (const [name, below] of Object.entries(schema.properties ?? {})) {
      const summary = below.description ?? below.items?.description ?? "";
      const isRequired = Array.isArray(required) && required.includes(name);
      const sameKey = drivers.size === 0 ? name : JSON.stringify([name, isRequired, summary]);
      const known = keys.get(sameKey);
      for (const driver of drivers) known?.drivers.add(driver);
      if (known === undefined) {
        keys.set(sameKey, { name, required: isRequired, summary, drivers: new Set(drivers) });
      }
    }
  }
  return [...keys.values()].map(({ drivers, name, required, summary }) => ({
    name,
    required,
    summary: drivers.size === 0 ? summary : `${[...drivers].join(", ")}: ${summary}`,
  }));
}

/** The drivers whose options a schema is; none for everything else. */
function driversOf(schema: JsonSchema): ReadonlySet<string> {
  const driver: unknown = schema[ofDriver];
  return new Set(typeof driver === "string" ? [driver] : []);
}

/** What a driver adds begins a line of its own. */
function byDriver(drivers: readonly string[], text: string): string {
  return drivers.length === 0 ? text : `\n  ${drivers.join(", ")}: ${text}`;
}

/** Notes, on the schema of a driver's options, whose they are. */
const ofDriver = "x-driver";

interface Condition {
  readonly if?: { readonly properties?: { readonly driver?: { readonly const?: string } } };
  readonly then?: JsonSchema;
}

/** What holds under a condition; where that is the driver, its options say which one. */
function consequence(condition: Condition): readonly JsonSchema[] {
  if (condition.then === undefined) return [];
  const driver = condition.if?.properties?.driver?.const;
  const { properties = {} } = condition.then;
  const { options } = properties;
  if (driver === undefined || options === undefined) return [condition.then];
  const own = { ...options, [ofDriver]: driver };
  return [{ ...condition.then, properties: { ...properties, options: own } }];
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
  const { allOf = [] } = schema as { readonly allOf?: readonly Condition[] };
  const added = allOf.flatMap(consequence);
  const below = [
    ...alternatives(schema),
    ...(schema.items === undefined ? [] : [schema.items]),
    ...added,
  ];
  return [schema, ...below.flatMap(structures)];
}
