import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { auditChecks } from "#model/audit.ts";
import { ledgerAttributes } from "#policies/ledger-attributes.ts";

const page = await readFile(new URL("../../docs/audit.md", import.meta.url), "utf8");
const rows = page
  .split("\n")
  .filter((line) => line.startsWith("| `"))
  .map((line) => line.slice(2, -2).split(" | "));

test("the page lists every word of the ledger with meaning and example, and every check", () => {
  const words = [...ledgerAttributes.values()].map(({ name, summary, example }) => {
    return [`\`${name}\``, summary, `\`${example}\``];
  });
  const checks = Object.entries(auditChecks).map(([name, meaning]) => [`\`${name}\``, meaning]);
  expect(rows).toEqual([...words, ...checks]);
});
