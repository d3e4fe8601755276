import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pullSnapshot } from "#engine/snapshots/pull-snapshot.ts";
import { pushSnapshot } from "#engine/snapshots/push-snapshot.ts";
import { RemoteSnapshots } from "#engine/snapshots/remote-snapshots.ts";
import { distinctParts } from "#engine/snapshots/snapshot-parts.ts";
import { takeSnapshot } from "#engine/snapshots/take-snapshot.ts";
import { requireNamedFiles } from "#model/require-named-files.ts";
import { newBucket, openBucket } from "../../drivers/s3-bucket.ts";
import {
  startVersitygw,
  type VersitygwServer,
  versitygwMissing,
} from "../../services/versitygw.ts";
import { emptyStore } from "./far-store.ts";
import { filledIndex, readObjects, start } from "./filled-index.ts";

const missing = versitygwMissing();
let server: VersitygwServer;
beforeAll(async () => {
  if (missing === undefined) server = await startVersitygw();
});
afterAll(async () => {
  if (missing === undefined) await server.stop();
});

test.skipIf(missing !== undefined)(
  `snapshots travel over S3, and only what the bucket lacks (${missing ?? "versitygw"})`,
  async () => {
    const bucket = await newBucket(server);
    const driver = await openBucket(server, bucket, { prefix: `nodes/${randomUUID()}` });
    const remote = new RemoteSnapshots("archive", requireNamedFiles(driver, "archive"));
    try {
      const { index, store } = await filledIndex(60);
      const options = { now: start, partRows: 16 };
      const first = await takeSnapshot(index, store, options);
      const pushed = await pushSnapshot(store, remote, { snapshot: "newest" });
      const parts = distinctParts((await store.find(first.cid)).manifest);
      expect(pushed.partsMoved).toBe(parts.length);
      await readObjects(index, "second", [40]);
      const second = await takeSnapshot(index, store, {
        ...options,
        now: new Date(+start + 1_000),
      });
      const next = await pushSnapshot(store, remote, { snapshot: "newest" });
      expect(next).toMatchObject({ cid: second.cid, partsMoved: second.partsWritten });

      const other = await emptyStore();
      expect((await pullSnapshot(other, remote, { snapshot: "newest" })).cid).toBe(second.cid);
      expect(await remote.list()).toHaveLength(2);
      expect(await Array.fromAsync(driver.list())).toEqual([]);
    } finally {
      await driver.close();
    }
  },
);
