import { z } from "zod";
import { configSchema } from "#config/config-schema.ts";

/** One setting of the configuration, as its schema describes it. */
export interface SettingName {
  /** Keys from the root: `queue.url`. */
  readonly path: string;
  readonly flag: string;
  readonly variable: string;
  readonly type: "text" | "number" | "list" | "map";
  readonly description: string;
  /** In the user's form; undefined where the default depends on the machine. */
  readonly initial: unknown;
}

/** The part of JSON Schema that zod writes for our documents. */
export interface JsonSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly description?: string;
  readonly default?: unknown;
  readonly format?: string;
  readonly items?: JsonSchema;
  readonly [keyword: string]: unknown;
}

/** The JSON Schema (draft-07) of a schema in the form that people write. */
export function inputJsonSchema(schema: z.ZodType): JsonSchema {
  const written = z.toJSONSchema(schema, {
    io: "input",
    target: "draft-7",
    unrepresentable: "any",
  });
  return written as unknown as JsonSchema;
}

/**
 * Every setting that a flag or an environment variable may override; backends stand in the
 * file only. Flag and variable follow from the path: `queue.url`, `--queue-url`,
 * `THERMOCLINE_QUEUE_URL`.
 */
export function settingNames(): readonly SettingName[] {
  // Derived once: every command of the program has these flags.
  names ??= deriveNames();
  return names;
}

let names: readonly SettingName[] | undefined;

function deriveNames(): readonly SettingName[] {
  const { properties = {} } = inputJsonSchema(configSchema);
  const { apiVersion: _version, kind: _kind, backends: _backends, ...settings } = properties;
  return leaves(settings, []);
}

function leaves(
  properties: Readonly<Record<string, JsonSchema>>,
  above: readonly string[],
): readonly SettingName[] {
  return Object.entries(properties).flatMap(([key, schema]) => {
    const path = [...above, key];
    if (schema.properties !== undefined) return leaves(schema.properties, path);
    const words = path.flatMap((step) => step.split(/(?=[A-Z])/)).map((word) => word.toLowerCase());
    return [
      {
        path: path.join("."),
        flag: `--${words.join("-")}`,
        variable: `THERMOCLINE_${words.join("_").toUpperCase()}`,
        type: typeNames[schema.type ?? ""] ?? "text",
        description: schema.description ?? "",
        initial: schema.default,
      },
    ];
  });
}

const typeNames: Readonly<Record<string, SettingName["type"]>> = {
  integer: "number",
  number: "number",
  array: "list",
  object: "map",
};
