import { randomUUID } from "node:crypto";
import { S3Client } from "@aws-sdk/client-s3";
import type { Driver } from "#model/driver.ts";
import s3 from "#drivers/s3/s3.ts";
import type { VersitygwServer } from "../services/versitygw.ts";

/** Makes a bucket of a test's own. */
export async function newBucket(server: VersitygwServer): Promise<string> {
  const bucket = `test-${randomUUID()}`;
  await server.makeBucket(bucket);
  return bucket;
}

/** Opens the driver on a bucket; what is given replaces the usual options. */
export function openBucket(
  server: VersitygwServer,
  bucket: string,
  changed: Readonly<Record<string, unknown>> = {},
  secret = server.secretAccessKey,
): Promise<Driver> {
  return s3.open({
    backend: "archive",
    options: s3.options.parse({
      bucket,
      region: server.region,
      endpoint: server.endpoint,
      forcePathStyle: true,
      accessKeyId: server.accessKeyId,
      secretAccessKey: "env:SECRET",
      partSize: "5MiB",
      ...changed,
    }),
    capacityBytes: undefined,
    secret: () => Promise.resolve(secret),
  });
}

/** The SDK's own client: the referee who looks at the bucket without our driver. */
export function referee(server: VersitygwServer): S3Client {
  const { region, endpoint, accessKeyId, secretAccessKey } = server;
  const credentials = { accessKeyId, secretAccessKey };
  return new S3Client({ region, endpoint, credentials, forcePathStyle: true });
}
