import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { docsLink } from "#document/docs-link.ts";
import { codeMeanings } from "#engine/code-meanings.ts";

test.each(Object.keys(codeMeanings))(
  "the link that comes with %s leads to its row",
  async (code) => {
    const [page = "", anchor = ""] = docsLink(code)?.split("#") ?? [];
    const text = await readFile(new URL(`../../${page}`, import.meta.url), "utf8");
    expect(text).toContain(`<a id="${anchor}"></a>\`${code}\``);
  },
);
