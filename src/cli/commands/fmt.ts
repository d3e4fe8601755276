import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import { readAnyDocuments } from "#config/policy-sources.ts";
import { sortKeys } from "#document/formatting/sort-keys.ts";
import { parseDocuments } from "#document/parse-documents.ts";
import { readSource } from "#document/read-source.ts";
import type { DocumentSource } from "#document/document-source.ts";
import { defineCommand } from "#cli/command.ts";
import { counted } from "#cli/output/words.ts";

export default defineCommand({
  name: "fmt",
  summary: "put the keys of documents into their usual order; comments and blank lines stay",
  examples: ["thermocline fmt", "thermocline fmt policies --check"],
  setup: (command) =>
    command
      .argument("[files...]", "files or directories (default: all below, and ./thermocline.yaml)")
      .option("--check", "write nothing; exit with 1 when a file is not in order"),
  async run(context, [files], { check }) {
    const { schemaOf } = await import("#engine/documentation/schema-of.ts");
    const { cwd } = context.io;
    const sources = files.length === 0 ? await readAll(cwd) : await readAnyDocuments(files, cwd);
    const changed: string[] = [];
    const unsound: DocumentSource[] = [];
    for (const source of sources) {
      const { file, text } = source;
      const sorted = sortKeys(text, schemaOf);
      if (sorted === undefined) unsound.push(source);
      else if (sorted !== text) {
        changed.push(file);
        if (check !== true) await writeFile(resolve(cwd, file), sorted);
      }
    }
    for (const source of unsound) context.note(`${whyLeft(source)}; it is left as it is`);
    const did = check === true ? "not in order" : "put in order";
    const summary = `${counted(sources.length, "file")}, ${changed.length} ${did}\n`;
    const lines = changed.map((file) => `${file}\n`).join("");
    context.print(`${lines}${summary}`, {
      files: sources.length,
      changed,
      unsound: unsound.map(({ file }) => file),
    });
    return unsound.length > 0 || (check === true && changed.length > 0) ? 1 : 0;
  },
});

/** The first thing that is wrong with the YAML, with its place; else only its order is meant. */
function whyLeft(source: DocumentSource): string {
  const [first] = parseDocuments(source, z.unknown()).diagnostics;
  if (first === undefined) return `${source.file} needs its order, as an alias and its anchor do`;
  const { line, column } = first.range.start;
  return `${first.file}:${line}:${column}: ${first.message}`;
}

/** Everything below a directory, and the configuration in it, which has a name of its own. */
async function readAll(cwd: string): Promise<readonly DocumentSource[]> {
  const name = "thermocline.yaml";
  const found = await readSource(join(cwd, name), name).catch(() => undefined);
  return [...(found === undefined ? [] : [found]), ...(await readAnyDocuments(["."], cwd))];
}
