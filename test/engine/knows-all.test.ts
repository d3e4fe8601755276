import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { dataIdentity } from "#engine/data-identity.ts";
import { knowsAll, knowsAllEmbedded, type LeaseAccount } from "#engine/knows-all.ts";
import { type IndexMark, type LeaseHolder, unwrittenMark } from "#jobs/lease/lease-store.ts";

const here: LeaseHolder = { id: "b", node: "b", pid: 2, index: "this directory" };
const elsewhere: LeaseHolder = { id: "a", node: "a", pid: 1, index: "another directory" };
const marked = (directory: LeaseHolder): IndexMark => {
  return { index: directory.index, term: "drawn", entry: 7, check: "abc" };
};
const shared = (epoch: number, hasMarked = false) => {
  return { epoch, publishedEpoch: undefined, hasMarked };
};
const apart = (epoch: number, publishedEpoch: number, hasMarked = false) => {
  return { epoch, publishedEpoch, hasMarked };
};

describe("an index holds everything that was written", () => {
  test("when it has what the last controller noted of this very file", () => {
    expect(knowsAll(shared(6, true), led(6, here, marked(here)), here)).toBe(true);
    expect(knowsAll(apart(6, 6, true), led(6, here, marked(here)), here)).toBe(true);
  });

  test("when others took the lease since and died before they wrote anything", () => {
    expect(knowsAll(shared(6, true), led(9, here, marked(here)), here)).toBe(true);
    expect(knowsAll(shared(6, true), led(7, elsewhere, marked(here)), here)).toBe(true);
  });

  test("when the last controller died before it noted the term that it wrote", () => {
    expect(knowsAll(shared(7, true), led(7, here, marked(here)), here)).toBe(true);
  });

  test("when nobody has led yet, and when the first one died on the way there", () => {
    expect(knowsAll(shared(0), led(0), here)).toBe(true);
    expect(knowsAll(apart(0, 0), led(0), here)).toBe(true);
    expect(knowsAll(shared(0), led(1, here, unwrittenMark), here)).toBe(true);
    expect(knowsAll(shared(1, true), led(1, here, unwrittenMark), here)).toBe(true);
  });

  test("when the queue lost its record, and this index was the last to be published", () => {
    expect(knowsAll(apart(6, 6), led(0), here)).toBe(true);
  });

  test("when an older version led last, with this very file", () => {
    expect(knowsAll(shared(6), led(6, here), here)).toBe(true);
  });

  test("when the embedded queue has no mark, or one that the index has", () => {
    expect(knowsAllEmbedded(shared(0), led(0))).toBe(true);
    expect(knowsAllEmbedded(shared(6), led(0))).toBe(true);
    expect(knowsAllEmbedded(shared(0), led(1, here, unwrittenMark))).toBe(true);
    expect(knowsAllEmbedded(shared(6, true), led(6, elsewhere, marked(elsewhere)))).toBe(true);
  });

  test("when an older version led last beside the embedded queue, and the index has its term", () => {
    expect(knowsAllEmbedded(shared(6), led(6, here))).toBe(true);
  });
});

describe("an index may lack something", () => {
  test("when it was put back: it has not what the last controller noted", () => {
    expect(knowsAll(shared(9), led(10, here, marked(here)), here)).toBe(false);
    expect(knowsAll(shared(10), led(10, here, marked(here)), here)).toBe(false);
    expect(knowsAll(shared(0), led(10, here, marked(here)), here)).toBe(false);
    expect(knowsAllEmbedded(shared(10), led(10, here, marked(here)))).toBe(false);
  });

  test("when an older version led last, and may have written a term that is not there", () => {
    expect(knowsAll(shared(5), led(6, here), here)).toBe(false);
    expect(knowsAllEmbedded(shared(5), led(6, here))).toBe(false);
  });

  test("when another directory was written since, be it a copy of this one", () => {
    expect(knowsAll(shared(6, true), led(6, elsewhere, marked(elsewhere)), here)).toBe(false);
    expect(knowsAll(shared(6), led(6, elsewhere), here)).toBe(false);
  });

  test("when the queue lost its record, and nothing else tells who led last", () => {
    expect(knowsAll(shared(6), led(0), here)).toBe(false);
    expect(knowsAll(shared(6), led(1, here, unwrittenMark), here)).toBe(false);
    expect(knowsAll(apart(6, 0), led(0), here)).toBe(false);
  });

  test("when the last controller died while it put a published index into its place", () => {
    expect(knowsAll(apart(5, 5, true), led(6, here, marked(elsewhere)), here)).toBe(false);
  });
});

test("a copy of a data directory has another name than the original", async () => {
  const folder = await mkdtemp(join(tmpdir(), "thermocline-identity-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const original = await dataIdentity(join(folder, "data"));
  await cp(join(folder, "data"), join(folder, "copy"), { recursive: true });
  expect(await dataIdentity(join(folder, "data"))).toBe(original);
  expect(await dataIdentity(join(folder, "copy"))).not.toBe(original);
});

function led(epoch: number, holder?: LeaseHolder, mark?: IndexMark): LeaseAccount {
  return { before: { epoch, holder, remainingMs: 0 }, mark };
}
