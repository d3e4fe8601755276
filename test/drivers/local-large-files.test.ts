import { chmod, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { StoredCopy } from "#model/copy.ts";
import type { Driver } from "#model/driver.ts";
import local from "#drivers/local/local.ts";
import { fileBody, type Sample, sample } from "../conformance/sample-object.ts";

const MiB = 1024 * 1024;
/** More than two of the parts that threads read, and an end within a leaf. */
const size = 37 * MiB + 5;

let folder = "";
let driver: Driver;
let large: Sample;
let copy: StoredCopy;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "thermocline-large-"));
  driver = await local.open({
    backend: "disk",
    options: { path: join(folder, "store"), durability: "none", create: true },
    capacityBytes: undefined,
    secret: () => Promise.reject(new Error("no secret is needed")),
  });
  large = sample(size);
  copy = await driver.write(large.object, fileBody(large, MiB));
  await chmod(join(folder, "store", copy.locator), 0o644);
});

afterAll(async () => {
  await driver.close();
  await rm(folder, { recursive: true, force: true });
});

describe("a large file of a local store", () => {
  it("is proved by reading every byte of it", async () => {
    expect(await driver.verify(large.object, "verified")).toMatchObject({
      finding: "present",
      confidence: "verified",
      method: `read back and re-hashed ${size} bytes`,
      bytesRead: size,
    });
  });

  it.each([
    ["one bit of its first leaf is another", 0, flipped],
    ["one bit of its last leaf is another", size - 1, flipped],
    ["two leaves have changed places", 3 * MiB, swapped],
  ])("is called corrupt, with what it is instead, when %s", async (_, at, damage) => {
    const undo = await damage(at);
    const evidence = await driver.verify(large.object, "verified");
    expect(evidence).toMatchObject({ finding: "corrupt", confidence: "verified", bytesRead: size });
    expect(evidence.method).toContain(`the bytes of ${large.object.cid} are those of`);
    await undo();
    expect(await driver.verify(large.object, "verified")).toMatchObject({ finding: "present" });
  });

  it("is not judged when the check is told to stop", async () => {
    const stopping = new AbortController();
    const checking = driver.verify(large.object, "verified", { signal: stopping.signal });
    stopping.abort();
    await expect(checking).rejects.toMatchObject({ code: "CANCELLED" });
  });
});

/** Changes one bit on the disk; the answer changes it back. */
async function flipped(at: number): Promise<() => Promise<void>> {
  const original = large.bytes.subarray(at, at + 1);
  await overwrite(at, Uint8Array.of((original[0] ?? 0) ^ 1));
  return async () => {
    await overwrite(at, original);
  };
}

/** Exchanges a leaf with one that another thread reads. */
async function swapped(at: number): Promise<() => Promise<void>> {
  const other = at + 20 * MiB;
  const leafAt = (place: number): Uint8Array => large.bytes.subarray(place, place + MiB);
  await overwrite(at, leafAt(other));
  await overwrite(other, leafAt(at));
  return async () => {
    await overwrite(at, leafAt(at));
    await overwrite(other, leafAt(other));
  };
}

async function overwrite(at: number, bytes: Uint8Array): Promise<void> {
  await using file = await open(join(folder, "store", copy.locator), "r+");
  await file.write(bytes, 0, bytes.length, at);
}
