import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { manifestColumns } from "#model/object-manifest.ts";

const page = await readFile(new URL("../../docs/imports.md", import.meta.url), "utf8");

test("the page names every column of a manifest, and no other one", () => {
  const table = page.slice(page.indexOf("| column |"), page.indexOf("Other columns"));
  const named = [...table.matchAll(/^\| ([^|]+) \|/gm)].flatMap(([, names = ""]) =>
    [...names.matchAll(/`(\w+)`/g)].map(([, name]) => name),
  );
  expect(new Set(named)).toEqual(new Set(Object.keys(manifestColumns)));
});
