import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TailSchedule } from "#engine/ledger/tail-schedule.ts";
import { TailWriter } from "#engine/ledger/tail-writer.ts";
import { collectRemote } from "#engine/snapshots/collect-remote.ts";
import { installationOf } from "#engine/snapshots/installation-of.ts";
import { pullSnapshot } from "#engine/snapshots/pull-snapshot.ts";
import { pushSnapshot } from "#engine/snapshots/push-snapshot.ts";
import { RemoteSnapshots } from "#engine/snapshots/remote-snapshots.ts";
import { takeSnapshot } from "#engine/snapshots/take-snapshot.ts";
import { requireNamedFiles } from "#model/require-named-files.ts";
import { newBucket, openBucket } from "../../drivers/s3-bucket.ts";
import {
  startVersitygw,
  type VersitygwServer,
  versitygwMissing,
} from "../../services/versitygw.ts";
import { emptyStore } from "../snapshots/far-store.ts";
import { filledIndex, start } from "../snapshots/filled-index.ts";

const now = () => start;
const missing = versitygwMissing();
let server: VersitygwServer;
beforeAll(async () => {
  if (missing === undefined) server = await startVersitygw();
});
afterAll(async () => {
  if (missing === undefined) await server.stop();
});

test.skipIf(missing !== undefined)(
  `the ledger goes on beside snapshots in a bucket (${missing ?? "versitygw"})`,
  async () => {
    const bucket = await newBucket(server);
    const driver = await openBucket(server, bucket, { prefix: `nodes/${randomUUID()}` });
    const remote = new RemoteSnapshots("archive", requireNamedFiles(driver, "archive"));
    try {
      const { index, store } = await filledIndex(20);
      const installation = await installationOf(index);
      const desk = {
        store,
        tailed: new Map<string, Date>(),
        ownInstallation: () => Promise.resolve(installation),
        remote: () => Promise.resolve(remote),
      };
      const schedule = new TailSchedule({
        desk,
        writer: new TailWriter({ index, store, now }),
        everyMs: 60_000,
        now,
        push: ["archive"],
        onError: () => undefined,
      });
      const first = await takeSnapshot(index, store, { now: start });
      await pushSnapshot(store, remote, { snapshot: "newest" });
      await index.hold([5, 6], "kept", start);
      expect(await schedule.look()).toEqual([]);
      await index.hold([7], "kept", start);
      expect(await schedule.look()).toEqual([]);
      expect([...desk.tailed.keys()]).toEqual(["here", "archive"]);
      const here = await store.tails.list(installation);
      expect(here).toHaveLength(2);
      expect(await remote.tails.list(installation)).toEqual(here);
      expect(await Array.fromAsync(driver.list())).toEqual([]);

      const other = await emptyStore();
      expect(await pullSnapshot(other, remote, { snapshot: "newest" })).toMatchObject({
        cid: first.cid,
        tailsMoved: 2,
      });
      expect(await other.tails.list(installation)).toEqual(here);

      await takeSnapshot(index, store, { now: new Date(+start + 1_000) });
      await pushSnapshot(store, remote, { snapshot: "newest" });
      await collectRemote(remote, { keep: 1, installation });
      expect(await remote.tails.list(installation)).toEqual([]);
    } finally {
      await driver.close();
    }
  },
);
