import { readdir, readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { waitReasons } from "#model/wait.ts";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { parsePolicies } from "#policies/parse-policies.ts";
import { codeBlocks } from "./code-blocks.ts";

const page = await readFile(new URL("../../docs/failures.md", import.meta.url), "utf8");

test("the policies of the page are right", async () => {
  const blocks = codeBlocks(page).filter(({ language }) => language === "yaml");
  expect(blocks.length).toBeGreaterThan(0);
  const sources = blocks.map(({ text }, at) => ({ file: `block-${at}.yaml`, text }));
  const { policies, diagnostics } = parsePolicies(sources, { registry: await loadAttributes() });
  expect([policies.length, diagnostics]).toEqual([blocks.length, []]);
});

test("the commands and the reasons to wait that the page names exist", async () => {
  const files = await readdir(new URL("../../src/cli/commands", import.meta.url));
  const known = new Set(files.map((file) => file.replace(/\.ts$/, "")));
  const named = [...page.matchAll(/thermocline ([a-z]+)(?: (ls|release)\b)?/g)];
  expect(named.length).toBeGreaterThan(5);
  const unknown = named.filter(([, word = "", more = "ls"]) => {
    return !known.has(word) && !known.has(`${word}-${more}`);
  });
  expect(unknown.map(([text]) => text)).toEqual([]);
  const reasons = [...page.matchAll(/reason\s+`([a-z]+)`/g)].map(([, reason]) => reason);
  expect(Object.keys(waitReasons)).toEqual(expect.arrayContaining(reasons));
});
