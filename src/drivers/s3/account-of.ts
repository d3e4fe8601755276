import { hash } from "node:crypto";
import type { S3Options } from "#drivers/s3/s3-options.ts";

/** The same for backends with the same service and credentials. They are named, never shown. */
export function accountOf(options: S3Options): string {
  const { endpoint, accessKeyId, secretAccessKey, sessionToken } = options;
  const named = [endpoint, accessKeyId, secretAccessKey, sessionToken];
  return `s3 ${hash("sha256", JSON.stringify(named))}`;
}
