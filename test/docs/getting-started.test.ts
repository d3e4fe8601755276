import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { codeBlocks } from "./code-blocks.ts";
import { TypedPage } from "./typed-page.ts";

const outputs: string[] = [];
let page: TypedPage;

/** Types the page: writes its files, runs its commands, each block in the page's folder. */
beforeAll(async () => {
  page = await TypedPage.open();
  const text = await readFile(new URL("../../docs/getting-started.md", import.meta.url), "utf8");
  for (const block of codeBlocks(text)) {
    if (block.file !== undefined) await page.write(block.file, block.text);
    else if (block.language === "sh") {
      const typed = await page.type(block.text, outputs.length === 0 ? "." : "lake");
      if (typed.code !== 0) throw new Error(`${block.text}\n${typed.stdout}${typed.stderr}`);
      outputs.push(typed.stdout + typed.stderr);
    }
  }
}, 240_000);

afterAll(() => page[Symbol.asyncDispose]());

test("each command of the page succeeds, and says what the page says", () => {
  const all = outputs.join("\n");
  expect(all).toContain("8 new objects");
  expect(all).toContain("4 reads counted");
  expect(all).toContain("refused by guard objects: 8 of 8 objects");
  expect(all).toContain("6: 6 done, 0 skipped, 0 failed");
  expect(all).toContain("nothing to do: every object is where the policies want it");
  expect(outputs.at(-1)).toContain("8 verified, 0 absent, 0 corrupt");
});

test("afterwards what was read is still on the fast disk and the rest on the slow one", async () => {
  const { objects } = await answer<{ objects: { path: string; backends: string[] }[] }>(
    "thermocline objects ls -o json",
  );
  const places = Object.fromEntries(objects.map(({ path, backends }) => [path, backends]));
  expect(places).toEqual({
    "/photos/2024/1.txt": ["slow"],
    "/photos/2024/2.txt": ["slow"],
    "/photos/2024/3.txt": ["slow"],
    "/photos/2024/4.txt": ["slow"],
    "/photos/2024/5.txt": ["slow"],
    "/photos/2026/1.txt": ["fast"],
    "/photos/2026/2.txt": ["fast"],
    "/photos/2026/3.txt": ["slow"],
  });
});

test("afterwards there is nothing left to do", async () => {
  const { plan } = await answer<{ plan: { header: { totals: { actions: number } } } }>(
    "thermocline plan -o json",
  );
  expect(plan.header.totals.actions).toBe(0);
});

async function answer<Value>(command: string): Promise<Value> {
  const { stdout } = await page.type(command, "lake");
  return JSON.parse(stdout) as Value;
}
