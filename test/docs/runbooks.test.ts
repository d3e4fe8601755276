import { readdir, readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CommandLine } from "../cli/command-line.ts";

const docs = new URL("../../docs/", import.meta.url);
const runbooks = await readdir(new URL("runbooks/", docs));
let line: CommandLine;
beforeAll(async () => {
  line = await CommandLine.open();
});
afterAll(() => line[Symbol.asyncDispose]());

/** Command lines of a page, in blocks and in the text. */
function commands(text: string): readonly string[] {
  const typed = [...text.matchAll(/^(?: {4})?thermocline (.+?)(?: +#.*)?$/gm)].map(
    ([, words = ""]) => words,
  );
  const named = [...text.matchAll(/`thermocline ([^`]+)`/g)].map(([, words = ""]) => words);
  return [...new Set([...typed, ...named])];
}

test.each(["control.md", "batches.md", ...runbooks.map((name) => `runbooks/${name}`)])(
  "every command of %s exists, with every option that it names",
  async (page) => {
    const text = await readFile(new URL(page, docs), "utf8");
    const lines = commands(text);
    expect(lines.length).toBeGreaterThan(4);
    const wrong: string[] = [];
    for (const words of lines) {
      const plain = words.replaceAll(/"[^"]*"|'[^']*'/g, "x").split(/\s+/);
      const verbs = plain.slice(0, plain.findIndex((word) => word.startsWith("-")) >>> 0);
      const { code, stdout } = await line.run([...verbs, "--help"]);
      const options = plain.filter((word) => word.startsWith("-"));
      const isKnown = options.every((option) => new RegExp(`\\${option}[ ,\n]`).test(stdout));
      if (code !== 0 || !isKnown) wrong.push(words);
    }
    expect(wrong).toEqual([]);
  },
);
