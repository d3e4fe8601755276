import type { HeadObjectOutput } from "@aws-sdk/client-s3";
import type { StorageLock } from "#model/copy.ts";
import type { ObjectLock } from "#drivers/s3/bucket-client.ts";

/** Reads from the headers of an object what forbids its removal, if the key's rights show it. */
export function objectLockOf(
  answer: Pick<
    HeadObjectOutput,
    "ObjectLockLegalHoldStatus" | "ObjectLockMode" | "ObjectLockRetainUntilDate"
  >,
): ObjectLock | undefined {
  const { ObjectLockLegalHoldStatus: hold, ObjectLockMode: mode } = answer;
  const until = answer.ObjectLockRetainUntilDate;
  const retained = mode !== undefined && until !== undefined;
  if (hold !== "ON" && !retained) return undefined;
  return { legalHold: hold === "ON", retention: retained ? { mode, until } : undefined };
}

/** Why an object may not be removed at this moment, in words; undefined when it may. */
export function lockWords(lock: ObjectLock | undefined, now: Date): string | undefined {
  if (lock?.legalHold === true) return "under a legal hold of the service";
  const { retention } = lock ?? {};
  if (retention === undefined || retention.until <= now) return undefined;
  return `locked by the service until ${retention.until.toISOString()} (${retention.mode})`;
}

/** The lock as the index keeps it. */
export function storageLock({ legalHold, retention }: ObjectLock): StorageLock {
  if (retention === undefined) return { legalHold };
  return { legalHold, until: retention.until.toISOString(), mode: retention.mode };
}
