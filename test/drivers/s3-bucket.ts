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
  server: BucketServer,
  bucket: string,
  changed: Readonly<Record<string, unknown>> = {},
  secret = server.secretAccessKey,
  context: { readonly backend?: string; readonly capacityBytes?: number | undefined } = {},
): Promise<Driver> {
  return s3.open({
    backend: context.backend ?? "archive",
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
    capacityBytes: context.capacityBytes,
    secret: () => Promise.resolve(secret),
  });
}

/** What is needed to reach a server, whichever it is. */
export type BucketServer = Pick<
  VersitygwServer,
  "endpoint" | "region" | "accessKeyId" | "secretAccessKey"
>;

/** The SDK's own client: the referee who looks at the bucket without our driver. */
export function referee(server: BucketServer): S3Client {
  const { region, endpoint, accessKeyId, secretAccessKey } = server;
  const credentials = { accessKeyId, secretAccessKey };
  return new S3Client({ region, endpoint, credentials, forcePathStyle: true });
}
