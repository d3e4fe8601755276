import type { DriverDefinition } from "#model/driver.ts";
import { configJsonSchema } from "#config/config-json-schema.ts";
import { inputJsonSchema, settingNames } from "#config/setting-names.ts";
import type { JsonSchema } from "#config/setting-names.ts";

/** The page docs/configuration.md, written from the same schema that checks the file. */
export function configReference(drivers: ReadonlyMap<string, DriverDefinition>): string {
  const { properties = {} } = configJsonSchema(drivers);
  const { backends, ...settings } = properties;
  return [
    introduction,
    "## Keys\n",
    table(rowsOf(settings, "", ["apiVersion"])),
    "## Backends\n",
    "Each entry of the list `backends`:\n",
    table(rowsOf(backends?.items?.properties ?? {}, "", ["name", "driver", "tier"])),
    ...[...drivers.values()].flatMap(driverSection),
    "## Flags and variables\n",
    "Every key outside `backends` can be overridden. A secret in a variable is never copied",
    "anywhere: the program keeps the variable's name. `THERMOCLINE_QUEUE_URL` and",
    "`THERMOCLINE_API_TOKEN` also exist with the endings `_FILE` and `_COMMAND`.",
    "",
    "| Key | Flag | Variable |\n|---|---|---|",
    ...settingNames().map(
      ({ path, flag, variable }) => `| \`${path}\` | \`${flag}\` | \`${variable}\` |`,
    ),
    "",
  ].join("\n");
}

const introduction = `# Configuration

<!-- Written by \`npm run schema\` from src/config/config-schema.ts; edit that file. -->

\`thermocline.yaml\` is one YAML document that starts with \`apiVersion: thermocline/v1\`.
\`thermocline init\` writes a commented one. A key that is not listed here is an error.

What decides, strongest first: flag, environment variable, the file given by \`--config\` (or
\`THERMOCLINE_CONFIG\`), \`./thermocline.yaml\`, \`$XDG_CONFIG_HOME/thermocline/config.yaml\`, default.
\`thermocline config view --origin\` shows where each value came from. Relative paths start at the
directory of the file. Sizes are written \`10GiB\` or \`500MB\`, durations \`30d\` or \`1h30m\`.
Secrets are written by reference only: \`env:NAME\`, \`file:PATH\`, \`command:PROGRAM …\` (no shell).
`;

function driverSection(driver: DriverDefinition): readonly string[] {
  const { properties = {}, required } = inputJsonSchema(driver.options);
  return [
    `### \`driver: ${driver.name}\`\n`,
    `${driver.summary} Under \`options\`:\n`,
    table(rowsOf(properties, "", Array.isArray(required) ? required : [])),
    "```yaml",
    driver.example.trimEnd(),
    "```",
    "",
  ];
}

type Row = readonly [key: string, type: string, initial: string, meaning: string];

function rowsOf(
  properties: Readonly<Record<string, JsonSchema>>,
  above: string,
  required: readonly unknown[] = [],
): readonly Row[] {
  return Object.entries(properties).flatMap(([key, schema]): readonly Row[] => {
    const path = `${above}${key}`;
    const initial = schema.default === undefined ? "" : `\`${JSON.stringify(schema.default)}\``;
    const isRequired = required.includes(key) ? "required" : initial;
    const own: Row = [`\`${path}\``, typeOf(schema), isRequired, schema.description ?? ""];
    if (schema.properties === undefined) return [own];
    const group: Row = [`\`${path}\``, "map", "", schema.description ?? ""];
    return [group, ...rowsOf(schema.properties, `${path}.`)];
  });
}

function typeOf(schema: JsonSchema): string {
  const { const: only, enum: words, anyOf } = schema;
  if (typeof only === "string") return `\`${only}\``;
  if (Array.isArray(words)) return words.map((word) => `\`${String(word)}\``).join(", ");
  if (Array.isArray(anyOf)) return "text or number";
  if (schema.type === "array") return `list of ${typeOf(schema.items ?? {})}`;
  return (
    { string: "text", integer: "whole number", object: "map" }[schema.type ?? ""] ??
    schema.type ??
    "any"
  );
}

function table(rows: readonly Row[]): string {
  const lines = rows.map((row) => `| ${row.map(escapeCell).join(" | ")} |`);
  return ["| Key | Value | Default | Meaning |\n|---|---|---|---|", ...lines, ""].join("\n");
}

function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
