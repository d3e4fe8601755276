import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { dataIdentity } from "#engine/data-identity.ts";
import { knowsAll } from "#engine/knows-all.ts";
import type { LeaseHolder, LeaseRecord } from "#jobs/lease/lease-store.ts";

const here: LeaseHolder = { id: "b", node: "b", pid: 2, index: "this directory" };
const elsewhere: LeaseHolder = { id: "a", node: "a", pid: 1, index: "another directory" };
const shared = (epoch: number) => ({ epoch, publishedEpoch: undefined });

describe("an index holds everything that was written", () => {
  test("when the last controller wrote this very file", () => {
    expect(knowsAll(shared(6), led(6, here), here)).toBe(true);
    expect(knowsAll({ epoch: 6, publishedEpoch: 6 }, led(6, here), here)).toBe(true);
  });

  test("when nobody has led yet", () => {
    expect(knowsAll(shared(0), led(0), here)).toBe(true);
    expect(knowsAll({ epoch: 0, publishedEpoch: 0 }, led(0), here)).toBe(true);
  });

  test("when the last controller on the one directory died before it wrote anything", () => {
    expect(knowsAll(shared(5), led(6, here), here)).toBe(true);
    expect(knowsAll(shared(4), led(6, here), here)).toBe(false);
  });

  test("when the queue lost its record, and this index was the last to be published", () => {
    expect(knowsAll(shared(6), led(0), here)).toBe(true);
    expect(knowsAll({ epoch: 6, publishedEpoch: 6 }, led(0), here)).toBe(true);
  });
});

describe("an index may lack something", () => {
  test("when another directory was written since, be it a copy of this one", () => {
    expect(knowsAll(shared(6), led(6, elsewhere), here)).toBe(false);
    expect(knowsAll(shared(5), led(6, elsewhere), here)).toBe(false);
  });

  test("when the queue lost its record and the folder of published indexes is empty", () => {
    expect(knowsAll({ epoch: 6, publishedEpoch: 0 }, led(0), here)).toBe(false);
  });

  test("when the last controller died while it put a published index into its place", () => {
    expect(knowsAll({ epoch: 5, publishedEpoch: 5 }, led(6, here), here)).toBe(false);
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

function led(epoch: number, holder?: LeaseHolder): LeaseRecord {
  return { epoch, holder, remainingMs: 0 };
}
