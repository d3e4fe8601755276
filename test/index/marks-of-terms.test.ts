import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ObjectIndex } from "#index/object-index.ts";
import { openIndex, start } from "./open-index.ts";

const now = new Date("2027-01-01T00:00:00Z");
const term = (epoch: number, mark: string) => {
  return { epoch, node: "n", began: now, permitTtlMs: 1, permitsFrom: now, complete: true, mark };
};

test("an index has what it was written to, and an earlier state of it has not", async () => {
  const { index, folder } = await openIndex();
  await index.terms.begin(term(1, "first"));
  await index.setCordon("hot", true);
  const early = await index.terms.mark();
  const copy = join(folder, "copy.duckdb");
  await index.terms.copyIndex(copy);
  await index.setCordon("hot", false);
  const late = await index.terms.mark();
  await index.terms.begin(term(2, "second"));
  const next = await index.terms.mark();
  await index.setCordon("hot", true);
  for (const mark of [early, late, next]) expect(await index.terms.has(mark)).toBe(true);

  const putBack = await ObjectIndex.open(copy);
  onTestFinished(() => putBack.close());
  expect([early, late, next].map((mark) => mark.entry)).toEqual([0, 1, 1]);
  expect(await putBack.terms.has(early)).toBe(true);
  expect(await putBack.terms.has(late)).toBe(false);
  // Nor does it get there by going on elsewhere.
  await putBack.setCordon("hot", false);
  await putBack.setCordon("hot", true);
  expect(await putBack.terms.has(late)).toBe(false);
  expect(await putBack.terms.has(next)).toBe(false);

  await index.terms.beginApart(start);
  expect(await index.terms.has(early)).toBe(false);
});
