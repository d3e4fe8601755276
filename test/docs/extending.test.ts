import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect, test } from "vitest";
import type { AttributeDefinition } from "#policies/attribute-definition.ts";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { compileFilter } from "#policies/compile-filter.ts";
import { sql, toStatement } from "#policies/sql-fragment.ts";
import { demoMoment } from "../policies/demo-backends.ts";
import { openMemoryIndex } from "../policies/memory-index.ts";
import { codeBlocks } from "./code-blocks.ts";

const root = new URL("../../", import.meta.url);
const folder = await mkdtemp(join(tmpdir(), "thermocline-extending-"));

afterAll(() => rm(folder, { recursive: true, force: true }));

test("the attribute on the page is a whole file: policies can use it at once", async () => {
  const page = await readFile(new URL("docs/extending.md", root), "utf8");
  const block = codeBlocks(page).find(({ language }) => language === "ts");
  const name = basename(block?.file ?? "", ".ts");
  // Outside the package `#policies/…` means nothing, so the imports name the files in full.
  const source = (block?.text ?? "").replaceAll('from "#', `from "${new URL("src/", root).href}`);
  const file = join(folder, `${name}.ts`);
  await writeFile(file, source);
  const module = (await import(pathToFileURL(file).href)) as { default: AttributeDefinition };
  expect(module.default.name).toBe(name);

  const registry = new Map([...(await loadAttributes()), [name, module.default]]);
  const condition = compileFilter(module.default.example, { ...demoMoment, registry });
  using index = await openMemoryIndex();
  await index.run(`insert into object (object_id, names, modified) values
    (1, 1, '${daysAgo(31)}'), (2, 1, '${daysAgo(29)}'), (3, 1, null)`);
  const query = sql`select o.object_id from object o where ${condition}`;
  expect(await index.rows(toStatement(query))).toEqual([[1n]]);
});

function daysAgo(days: number): string {
  return new Date(demoMoment.now.getTime() - days * 86_400_000).toISOString().slice(0, 19);
}
