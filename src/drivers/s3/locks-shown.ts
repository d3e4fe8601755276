import {
  GetObjectLegalHoldCommand,
  GetObjectRetentionCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import type { LocksShown } from "#drivers/s3/bucket-client.ts";
import { type Signal, withSignal } from "#drivers/s3/bucket-requests.ts";
import { httpStatus } from "#drivers/s3/s3-error.ts";

/**
 * How much of the locks on a key the credentials may see: a `HEAD` leaves out what they may not,
 * as if there were none. Only these requests are refused for it.
 */
export async function locksShown(
  client: S3Client,
  place: { readonly bucket: string; readonly key: string },
  signal: Signal,
): Promise<LocksShown> {
  const object = { Bucket: place.bucket, Key: place.key };
  const options = withSignal(signal);
  const [hold, retention] = await Promise.all([
    client.send(new GetObjectLegalHoldCommand(object), options).then(isShown, meaningOf),
    client.send(new GetObjectRetentionCommand(object), options).then(isShown, meaningOf),
  ]);
  if (hold === retention) return hold === "shown" ? "all" : hold;
  const both = [hold, retention];
  if (both.includes("unknown")) return "unknown";
  return both.includes("shown") ? "some" : "none";
}

type Shown = "shown" | Exclude<LocksShown, "all" | "some">;

function isShown(): Shown {
  return "shown";
}

function meaningOf(error: unknown): Shown {
  const status = httpStatus(error) ?? 0;
  const name = error instanceof Error ? error.name : "";
  if (noLockNames.has(name)) return "shown";
  if (status === 401 || status === 403) return "none";
  // So services answer where the bucket, or the service itself, has no Object Lock.
  if (status === 501 || status === 405 || name === "InvalidRequest") return "unlockable";
  if (status >= 400 && status < 500 && status !== 429) return "unknown";
  throw error;
}

/** What has no lock, in a bucket that can lock: AWS and versitygw, and Ceph. */
const noLockNames: ReadonlySet<string> = new Set([
  "NoSuchObjectLockConfiguration",
  "ObjectLockConfigurationNotFoundError",
]);
