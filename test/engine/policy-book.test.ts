import { stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { PolicyBook } from "#engine/policy-book.ts";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { folderOf } from "../policies/definitions/policy-folder.ts";
import { setOf } from "../policies/plan/rule-of.ts";

const { moment } = setOf([]);
const text = (condition: string) => `apiVersion: thermocline/v1
kind: Policy
metadata: {name: test}
vars: {least: {type: size, default: 1B}}
rules: [{name: keep, where: ${condition}, hold: true}]
`;

async function openBook() {
  const folder = await folderOf({ "policies/a.thermocline.yaml": text("size > 1B") });
  const config = { directory: folder, policies: [join(folder, "policies")] };
  const book = new PolicyBook(config, await loadAttributes());
  return { book, path: join(folder, "policies/a.thermocline.yaml") };
}

test("an edit counts at once, though neither size nor time of the file tell of it", async () => {
  const { book, path } = await openBook();
  const before = await stat(path);
  const wheres = new Set<string>();
  for (const bytes of [1, 2, 1, 3]) {
    await writeFile(path, text(`size > ${bytes}B`));
    await utimes(path, before.atime, before.mtime);
    const { standing, agreed } = await book.compileNow(moment, undefined);
    expect(agreed).toEqual({ set: standing });
    wheres.add(inspect(standing.rules[0]?.where, { depth: null }));
  }
  expect(wheres.size).toBe(3);
  expect((await stat(path)).size).toBe(before.size);
});

test("one reading tells what policies say, and what with the values of a plan", async () => {
  const { book, path } = await openBook();
  await writeFile(path, text("size > $least"));
  const { standing, agreed } = await book.compileNow(moment, { least: "7GiB" });
  const [given] = (agreed.error === undefined ? agreed.set : standing).rules;
  expect(given?.where).not.toEqual(standing.rules[0]?.where);
  expect(await book.compileNow(moment, { lost: "1" })).toMatchObject({
    agreed: { error: { code: "INVALID_DOCUMENT" } },
  });
  await writeFile(path, text("siez > 1B"));
  await expect(book.compileNow(moment, { least: "7GiB" })).rejects.toMatchObject({
    code: "INVALID_DOCUMENT",
  });
  // What adds copies goes on with the last policies without an error.
  const { rules } = await book.compileOrLastGood(moment);
  expect(rules.map(({ id }) => id)).toEqual(["test/keep"]);
});
