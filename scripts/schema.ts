// Writes what is generated from our schemas: JSON Schemas for editors and reference pages.
// `--check` writes nothing and fails when a file is stale.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { configJsonSchema } from "#config/config-json-schema.ts";
import { configReference } from "#config/config-reference.ts";
import { documentDiagnosticsPage } from "#document/diagnostic-codes.ts";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { definitionsJsonSchema } from "#policies/definitions/definitions-json-schema.ts";
import { diagnosticReference, languageReference } from "#policies/language-reference.ts";
import { policyJsonSchema } from "#policies/policy-json-schema.ts";
import { policyTestJsonSchema } from "#policies/testing/policy-test-json-schema.ts";
import { calendarJsonSchema } from "#policies/timing/calendar-json-schema.ts";
import { loadDrivers } from "#registry.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const drivers = await loadDrivers();
const attributes = await loadAttributes();

const generated: readonly [file: string, text: string][] = [
  ["schema/config.v1.json", asJson(configJsonSchema(drivers))],
  ["docs/configuration.md", configReference(drivers)],
  ["docs/document-diagnostics.md", documentDiagnosticsPage()],
  ["schema/policy.v1.json", asJson(policyJsonSchema())],
  ["schema/policy-test.v1.json", asJson(policyTestJsonSchema())],
  ["schema/definitions.v1.json", asJson(definitionsJsonSchema())],
  ["schema/calendar.v1.json", asJson(calendarJsonSchema())],
  ["docs/policy-words.md", languageReference(attributes)],
  ["docs/policy-diagnostics.md", diagnosticReference()],
];

const isCheck = process.argv.includes("--check");
for (const [file, text] of generated) {
  const path = join(root, file);
  const current = await readFile(path, "utf8").catch(() => undefined);
  if (current === text) continue;
  if (isCheck) {
    console.error(`${file} is stale: run npm run schema`);
    process.exitCode = 1;
    continue;
  }
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  console.log(`wrote ${file}`);
}

function asJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
