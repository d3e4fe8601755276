import { access, readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const below = (await readdir(join(root, "docs"), { recursive: true }))
  .filter((name) => name.endsWith(".md"))
  .map((name) => join("docs", name));
const pages = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", ...below];

test.each(pages)("what %s links to and names exists", async (page) => {
  const text = await readFile(join(root, page), "utf8");
  const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link = ""]) =>
    join(root, dirname(page), link),
  );
  // Paths of the repository in backticks, without placeholders.
  const named = [...text.matchAll(/`((?:src|test|docs)\/[\w./-]+)`/g)].map(([, path = ""]) =>
    join(root, path),
  );
  const missing: string[] = [];
  for (const path of [...links, ...named]) await access(path).catch(() => missing.push(path));
  expect(missing).toEqual([]);
});
