import { describe, expect, it } from "vitest";
import { ArchivedObjects } from "#drivers/s3/archived-objects.ts";
import type { BucketClient, HeadResult, PutRequest } from "#drivers/s3/bucket-client.ts";
import { NamedKeys } from "#drivers/s3/named-keys.ts";
import s3 from "#drivers/s3/s3.ts";
import { EngineError } from "#model/engine-error.ts";
import { sample } from "../conformance/sample-object.ts";

// No server that runs here keeps others from looking at an object, or lets a test decide which of
// two requests comes first: so these few answers of a bucket are played, below the client.
const options = s3.options.parse({ bucket: "bucket", layout: "file", storageClass: "GLACIER" });

describe("keys of a bucket that others use too", () => {
  it("are passed over where another's object may not be looked at, and stop where it is ours", async () => {
    const bucket = playBucket();
    const keys = new NamedKeys(bucket.client, options);
    const first = { ...sample(10, 1).object, name: "ours.bin" };
    await bucket.client.put(await keys.place(first, "file", undefined, undefined), none, undefined);
    bucket.store({ key: "secret.bin", metadata: {}, create: true });
    bucket.locked.add("secret.bin");
    const listed = await Array.fromAsync(keys.list({}));
    expect(listed.map(({ cid }) => cid)).toEqual([first.cid]);

    const second = { ...sample(10, 2).object, name: "secret.bin" };
    const { key } = await keys.place(second, "file", undefined, undefined);
    expect(key).toBe(`secret~${second.cid.slice(-12)}.bin`);

    bucket.locked.add("ours.bin");
    await expect(Array.fromAsync(keys.list({}))).rejects.toMatchObject({ code: "FORBIDDEN" });
  });

  it("stay with the faster of two writers of one object", async () => {
    const bucket = playBucket();
    const object = { ...sample(10).object, name: "same.bin" };
    const [one, two] = [
      new NamedKeys(bucket.client, options),
      new NamedKeys(bucket.client, options),
    ];
    bucket.beforeNext(`.thermocline/by-cid/${object.cid}`, () =>
      two.place(object, "file", undefined, undefined),
    );
    expect(await one.place(object, "file", undefined, undefined)).toMatchObject({
      key: "same.bin",
    });
    expect(bucket.removed).toEqual([]);
  });

  it("do not have one object checked by the checksum of another that lay there before", async () => {
    const archived = new ArchivedObjects(playBucket("sum of the second").client, options);
    const [first, second] = [sample(10, 1).object, sample(10, 2).object];
    archived.remember(first, "same.bin", "sum of the first");
    expect(await archived.evidence(second, "same.bin", "verified", undefined)).toMatchObject({
      finding: "present",
      confidence: "listed",
    });
    archived.remember(second, "same.bin", "sum of the second");
    expect(await archived.evidence(second, "same.bin", "verified", undefined)).toMatchObject({
      finding: "present",
      confidence: "verified",
    });
  });
});

const none = new Uint8Array();

function playBucket(checksum?: string) {
  const objects = new Map<string, HeadResult>();
  const locked = new Set<string>();
  const removed: string[] = [];
  const before = new Map<string, () => Promise<unknown>>();
  const store = ({ key, metadata, create }: PutRequest): void => {
    if (create && objects.has(key)) throw new EngineError("ALREADY_EXISTS", `${key} is there`);
    const modifiedAt = new Date();
    const nothing = { versionId: undefined, archive: undefined, lock: undefined };
    objects.set(key, { bytes: 0, etag: "etag", modifiedAt, metadata, ...nothing });
  };
  const client: Partial<BucketClient> = {
    head: (key) => {
      if (!locked.has(key)) return Promise.resolve(objects.get(key));
      const details = { status: 403 };
      return Promise.reject(new EngineError("FORBIDDEN", "a key of KMS", { details }));
    },
    put: async (request) => {
      const first = before.get(request.key);
      before.delete(request.key);
      await first?.();
      store(request);
      return undefined;
    },
    remove: (key) => {
      removed.push(key);
      objects.delete(key);
      return Promise.resolve();
    },
    list: () => {
      const entries = [...objects.keys()].toSorted().map((key) => ({ key, bytes: 0 }));
      return Promise.resolve({ entries, folders: [], token: undefined });
    },
    checksum: () => Promise.resolve(checksum),
  };
  return {
    client: client as BucketClient,
    store,
    locked,
    removed,
    beforeNext: (key: string, act: () => Promise<unknown>) => void before.set(key, act),
  };
}
