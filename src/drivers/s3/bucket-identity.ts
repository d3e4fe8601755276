import { hash } from "node:crypto";
import type { DriverContext, StorageIdentity } from "#model/driver.ts";
import type { StorageName } from "#model/same-storage.ts";
import { parseSecretReference } from "#model/secret-reference.ts";
import type { S3Options } from "#drivers/s3/s3-options.ts";

const hint =
  "where they are buckets of two accounts or tenants of the service, name each in `account` of its options";

/**
 * The folder of a bucket, whatever credentials, layout or storage class it is used with: copies of
 * one class take the place of those of another. Known from the options alone: two names of one
 * service (`localhost` and `127.0.0.1`) are taken for two. Elsewhere than at AWS, where a bucket's
 * name is its own in all the world, accounts may have buckets of one name: they are told apart
 * where both are named, and never where one key id is used for both.
 */
export function bucketIdentity({
  options,
  secret,
}: Pick<DriverContext<S3Options>, "options" | "secret">): StorageIdentity {
  const { bucket, prefix, account, accessKeyId } = options;
  const service = serviceOf(options);
  const name = `${bucket}/${prefix} at ${service}`;
  if (service === aws) return { kind: "bucket", names: () => Promise.resolve([name]) };
  if (account === undefined) {
    return { kind: "bucket", names: () => Promise.resolve([name]), hint };
  }
  const names = async (): Promise<readonly StorageName[]> => {
    const isReference =
      accessKeyId !== undefined && parseSecretReference(accessKeyId) !== undefined;
    const key = isReference ? await secret(accessKeyId) : (accessKeyId ?? "");
    return [{ name, account }, `${name} by ${hash("sha256", key)}`];
  };
  return { kind: "bucket", names };
}

const aws = "aws";

/** Several services may be behind one host: in folders of it. */
function serviceOf({ endpoint }: S3Options): string {
  if (endpoint === undefined) return aws;
  const { hostname, host, pathname } = new URL(endpoint);
  if (/(?:^|\.)amazonaws\.com(?:\.cn)?$/.test(hostname)) return aws;
  return `${host}${pathname.replace(/\/{2,}/g, "/").replace(/\/$/, "")}`;
}
