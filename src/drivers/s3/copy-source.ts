import type { CopySource } from "#drivers/s3/bucket-client.ts";

/** How a request names the object it copies from: the key with its slashes, all else encoded. */
export function copySource({ bucket, key }: Pick<CopySource, "bucket" | "key">): string {
  return [bucket, ...key.split("/")].map(encodeURIComponent).join("/");
}

/** How copies of this driver say where they are. */
export function locatorOf(bucket: string, key: string): string {
  return `s3://${bucket}/${key}`;
}

/** The bucket and key that a locator of this driver names. */
export function parseLocator(
  locator: string,
): { readonly bucket: string; readonly key: string } | undefined {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/s.exec(locator) ?? [];
  return bucket === undefined || key === undefined ? undefined : { bucket, key };
}
