import { tmpdir } from "node:os";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Driver } from "#model/driver.ts";
import { bodyFor, permit, type Sample, sample } from "../conformance/sample-object.ts";
import { kuboMissing, startKubo } from "../services/kubo.ts";
import { startVersitygw, versitygwMissing } from "../services/versitygw.ts";
import { openKubo } from "./kubo-place.ts";
import { newBucket, openBucket } from "./s3-bucket.ts";
import { mountSmallDisk, type SmallDisk, smallDiskMissing } from "./small-disk.ts";

const mebibyte = 1024 * 1024;
const kept = sample(2 * mebibyte, 1);
const small = sample(3 * mebibyte, 2);
const large = sample(24 * mebibyte, 3);

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("a server whose disk is full", () => {
  const noKubo = smallDiskMissing() ?? kuboMissing();
  if (noKubo !== undefined) console.error(`skipped: a full IPFS node: ${noKubo}`);

  it.skipIf(noKubo !== undefined)(
    "is known for one, if it is an IPFS node, and takes more once it has room",
    async () => {
      await using disk = await onDisk("20m");
      await using begun = new AsyncDisposableStack();
      const node = begun.adopt(await startKubo(), (started) => started.stop());
      expect(node.repo.startsWith(disk.path)).toBe(true);
      const driver = begun.adopt(await openKubo(node), (opened) => opened.close());
      await expectFullAndRoomAgain(driver, "node", async () => {
        // What the node could not finish writing it keeps until it is started again.
        await node.kill();
        await node.startAgain();
        await node.ask("repo/gc?quiet=true");
      });
    },
  );

  const noBuckets = smallDiskMissing() ?? versitygwMissing();
  if (noBuckets !== undefined) console.error(`skipped: a full S3 server: ${noBuckets}`);

  it.skipIf(noBuckets !== undefined)(
    "is known for one, if it is an S3 server, and takes more once it has room",
    async () => {
      await using disk = await onDisk("20m");
      await using begun = new AsyncDisposableStack();
      const server = begun.adopt(await startVersitygw(), (started) => started.stop());
      expect(server.folder.startsWith(disk.path)).toBe(true);
      const bucket = await newBucket(server);
      const driver = begun.adopt(await openBucket(server, bucket), (opened) => opened.close());
      await expectFullAndRoomAgain(driver, "archive", () => Promise.resolve());
    },
  );
});

/** Whatever starts now keeps what it stores on a small disk. */
async function onDisk(size: string): Promise<SmallDisk> {
  const disk = await mountSmallDisk(size);
  vi.stubEnv("TMPDIR", disk.path);
  expect(tmpdir()).toBe(disk.path);
  return disk;
}

async function expectFullAndRoomAgain(
  driver: Driver,
  backend: string,
  makeRoom: () => Promise<void>,
): Promise<void> {
  const store = (stored: Sample) => driver.write(stored.object, bodyFor(driver, stored));
  await store(kept);
  const full: unknown = await store(large).catch((thrown: unknown) => thrown);
  expect(full).toMatchObject({ code: "NO_SPACE", retryable: false });
  expect(await driver.stat(large.object)).toBeUndefined();
  expect(await driver.verify(kept.object, "verified")).toMatchObject({ finding: "present" });
  expect(await driver.remove(kept.object, permit(kept.object, backend))).toBe("removed");
  await makeRoom();
  await store(small);
  expect(await driver.verify(small.object, "verified")).toMatchObject({ finding: "present" });
}
