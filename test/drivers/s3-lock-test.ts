import {
  CreateBucketCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectRetentionCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { expect } from "vitest";
import { EngineError } from "#model/engine-error.ts";
import { isHeldByStorage, lockOfError } from "#model/held-by-storage.ts";
import type { Driver } from "#model/driver.ts";
import { fileBody, permit, sample } from "../conformance/sample-object.ts";

/**
 * What every server with object lock must show: what is locked is refused with the reason and
 * stays whole, whether we saw the lock before or only the service knows of it.
 */
export async function expectLocksRespected(
  judge: S3Client,
  bucket: string,
  open: () => Promise<Driver>,
): Promise<void> {
  const lockable = { Bucket: bucket, ObjectLockEnabledForBucket: true };
  await judge.send(new CreateBucketCommand(lockable));
  const driver = await open();
  const [held, retained, free] = [sample(100, 1), sample(100, 2), sample(100, 3)];
  for (const stored of [held, retained, free]) await driver.write(stored.object, fileBody(stored));
  const hold = { Bucket: bucket, Key: held.object.cid };
  await judge.send(new PutObjectLegalHoldCommand({ ...hold, LegalHold: { Status: "ON" } }));
  // Past the end of the test, not of the day: what is locked so cannot be cleaned up before.
  const until = new Date(Date.now() + 30_000);
  const Retention = { Mode: "GOVERNANCE", RetainUntilDate: until } as const;
  const retain = { Bucket: bucket, Key: retained.object.cid, Retention };
  await judge.send(new PutObjectRetentionCommand(retain));

  const remove = ({ object }: typeof held): Promise<unknown> =>
    driver.remove(object, permit(object, "archive")).catch((thrown: unknown) => thrown);
  let asked = 0;
  const confirm = () => Promise.resolve(void (asked += 1));
  const refused: unknown = await driver
    .remove(held.object, permit(held.object, "archive"), { confirm })
    .catch((thrown: unknown) => thrown);
  expect(refused).toMatchObject({ code: "REFUSED", retryable: false });
  expect(String(refused)).toContain("legal hold");
  expect(isHeldByStorage(EngineError.from(refused))).toBe(true);
  // Refused by what was seen: the service was not even asked.
  expect(asked).toBe(0);
  expect(String(await remove(retained))).toMatch(/locked by the service until .*GOVERNANCE/);
  expect(await remove(free)).toBe("removed");
  const retention = { legalHold: false, mode: "GOVERNANCE" };
  const locks = [{ legalHold: true }, retention].entries();
  for (const [at, lock] of locks) {
    const { object } = at === 0 ? held : retained;
    const found = await driver.verify(object, "verified");
    expect(found).toMatchObject({ finding: "present", lock });
    expect(await driver.lockOf?.(object)).toEqual(found.lock);
  }
  const told = (await driver.lockOf?.(retained.object))?.until ?? "";
  expect(Math.abs(Date.parse(told) - until.getTime())).toBeLessThan(1_000);
  const error = EngineError.from(refused);
  expect(lockOfError(error)).toEqual({ legalHold: true });
  const unlocked = sample(100, 5);
  await driver.write(unlocked.object, fileBody(unlocked));
  expect(await driver.verify(unlocked.object, "listed")).toMatchObject({ lock: null });
  expect(await driver.remove(unlocked.object, permit(unlocked.object, "archive"))).toBe("removed");
  expect(await driver.lockOf?.(unlocked.object)).toBeUndefined();

  // A hold that is set between our look and the removal: now the service itself refuses.
  await judge.send(new PutObjectLegalHoldCommand({ ...hold, LegalHold: { Status: "OFF" } }));
  const setHold = async (): Promise<void> => {
    await judge.send(new PutObjectLegalHoldCommand({ ...hold, LegalHold: { Status: "ON" } }));
  };
  const late: unknown = await driver
    .remove(held.object, permit(held.object, "archive"), { confirm: setHold })
    .catch((thrown: unknown) => thrown);
  expect(late).toMatchObject({ code: "REFUSED" });
  expect(isHeldByStorage(EngineError.from(late))).toBe(true);
  expect(await driver.verify(held.object, "verified")).toMatchObject({ finding: "present" });
  await judge.send(new PutObjectLegalHoldCommand({ ...hold, LegalHold: { Status: "OFF" } }));
  expect(await remove(held)).toBe("removed");
  await expectOlderLockRespected(judge, bucket, driver);
}

/** A lock on an older version alone keeps every version; without it all go. */
async function expectOlderLockRespected(
  judge: S3Client,
  bucket: string,
  driver: Driver,
): Promise<void> {
  const stored = sample(200, 4);
  const place = { Bucket: bucket, Key: stored.object.cid };
  await driver.write(stored.object, fileBody(stored));
  const again = new PutObjectCommand({ ...place, Body: stored.bytes });
  const { VersionId } = await judge.send(again);
  await judge.send(again);
  // A key that begins like ours is not ours.
  const beside = { ...place, Key: `${stored.object.cid}-notes` };
  await judge.send(new PutObjectCommand({ ...beside, Body: "notes" }));
  const setHold = async (Status: "ON" | "OFF"): Promise<void> => {
    const LegalHold = { Status };
    await judge.send(new PutObjectLegalHoldCommand({ ...place, VersionId, LegalHold }));
  };
  const versions = async (): Promise<readonly (string | undefined)[]> => {
    const list = new ListObjectVersionsCommand({ Bucket: bucket, Prefix: stored.object.cid });
    return ((await judge.send(list)).Versions ?? []).map(({ Key }) => Key);
  };
  await setHold("ON");
  const before = await versions();
  expect(before.filter((key) => key === place.Key)).toHaveLength(3);
  let asked = 0;
  const confirm = () => Promise.resolve(void (asked += 1));
  const leave = permit(stored.object, "archive");
  const refused: unknown = await driver
    .remove(stored.object, leave, { confirm })
    .catch((thrown: unknown) => thrown);
  expect(isHeldByStorage(EngineError.from(refused))).toBe(true);
  expect(String(refused)).toContain(`version ${VersionId ?? ""} of ${stored.object.cid}`);
  expect(asked).toBe(0);
  expect(await versions()).toEqual(before);
  // The newest version alone would be free: what counts is that the copy cannot go.
  expect(await driver.lockOf?.(stored.object)).toEqual({ legalHold: true });
  expect(await driver.verify(stored.object, "listed")).toMatchObject({ lock: { legalHold: true } });
  await setHold("OFF");
  expect(await driver.lockOf?.(stored.object)).toBeNull();
  expect(await driver.remove(stored.object, leave, { confirm })).toBe("removed");
  expect(asked).toBe(3);
  expect(await versions()).toEqual([beside.Key]);
}

/**
 * What was stored before a bucket kept versions, or after that was suspended, has the version
 * `null`, which not every service tells of a key: no byte of it may stay after a removal.
 */
export async function expectNothingLeft(
  judge: S3Client,
  bucket: string,
  open: () => Promise<Driver>,
): Promise<void> {
  const place = { Bucket: bucket };
  await judge.send(new CreateBucketCommand(place));
  const keep = async (Status: "Enabled" | "Suspended"): Promise<void> => {
    const VersioningConfiguration = { Status };
    await judge.send(new PutBucketVersioningCommand({ ...place, VersioningConfiguration }));
  };
  const left = async (): Promise<number> => {
    const answer = await judge.send(new ListObjectVersionsCommand(place));
    return (answer.Versions ?? []).length + (answer.DeleteMarkers ?? []).length;
  };
  const [before, suspended, plain] = [sample(100, 11), sample(100, 12), sample(100, 13)];

  const early = await open();
  for (const stored of [before, plain]) await early.write(stored.object, fileBody(stored));
  expect(await early.remove(plain.object, permit(plain.object, "archive"))).toBe("removed");
  await keep("Enabled");
  const driver = await open();
  await driver.write(suspended.object, fileBody(suspended));
  await keep("Suspended");
  const again = { ...place, Key: suspended.object.cid, Body: suspended.bytes };
  const { Metadata } = await judge.send(new HeadObjectCommand({ ...place, Key: again.Key }));
  await judge.send(new PutObjectCommand({ ...again, Metadata: Metadata ?? {} }));
  expect(await left()).toBe(3);

  for (const { object } of [suspended, before]) {
    expect(await driver.remove(object, permit(object, "archive"))).toBe("removed");
  }
  expect(await left()).toBe(0);
}
