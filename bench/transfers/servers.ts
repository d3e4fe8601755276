import type { S3Client } from "@aws-sdk/client-s3";
import type { Driver } from "#model/driver.ts";
import { openKubo } from "../../test/drivers/kubo-place.ts";
import { newBucket, openBucket, referee } from "../../test/drivers/s3-bucket.ts";
import { LocalStores } from "../../test/jobs/local-stores.ts";
import { type KuboNode, startKubo } from "../../test/services/kubo.ts";
import { startVersitygw, type VersitygwServer } from "../../test/services/versitygw.ts";

/** Where bytes are moved from and to: the same kinds of servers for both sides. */
export interface Servers extends AsyncDisposable {
  /** Stores that force nothing to disk, as the other programs do not. */
  readonly stores: LocalStores;
  readonly s3: VersitygwServer;
  readonly sdk: S3Client;
  /** A node for each side, so that none meets blocks that the other one brought. */
  readonly ourNode: KuboNode;
  readonly peerNode: KuboNode;
  /** Our driver on our node. */
  readonly kubo: Driver;
  readonly pids: readonly number[];
}

/** A part of an upload, and how many are under way: those of our driver, unless it is told. */
export const partBytes = 8 * 1024 * 1024;
export const partsAtOnce = 4;

/** Starts the servers that all comparisons share. */
export async function openServers(): Promise<Servers> {
  await using begun = new AsyncDisposableStack();
  const starting = [
    LocalStores.open().then((opened) => begun.use(opened)),
    // As S3 does; without it, connecting is most of what a small object costs either side.
    startVersitygw({ keepAlive: true }).then((started) =>
      begun.adopt(started, (one) => one.stop()),
    ),
    startKubo().then((started) => begun.adopt(started, (one) => one.stop())),
    startKubo().then((started) => begun.adopt(started, (one) => one.stop())),
  ] as const;
  // All have begun, and end together, when one of them does not.
  await Promise.allSettled(starting);
  const [stores, s3, ourNode, peerNode] = await Promise.all(starting);
  const sdk = begun.adopt(referee(s3), (client) => client.destroy());
  const kubo = begun.adopt(await openKubo(ourNode), (driver) => driver.close());
  const pids = [s3.pid, ourNode.pid, peerNode.pid];
  const ending = begun.move();
  let closed: Promise<void> | undefined;
  // Whoever closes them a second time waits for the first.
  const close = () => (closed ??= ending.disposeAsync());
  return { stores, s3, sdk, ourNode, peerNode, kubo, pids, [Symbol.asyncDispose]: close };
}

/** A new bucket, as our driver is opened on it. */
export async function openNewBucket(
  s3: VersitygwServer,
): Promise<{ readonly bucket: string; readonly driver: Driver }> {
  const bucket = await newBucket(s3);
  return { bucket, driver: await openBucket(s3, bucket, { partSize: `${partBytes}` }) };
}
