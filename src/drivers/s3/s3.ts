import type { DriverDefinition } from "#model/driver.ts";
import { s3Capabilities, s3CapabilitiesOf } from "#drivers/s3/s3-capabilities.ts";
import { type S3Options, s3Options } from "#drivers/s3/s3-options.ts";

/** Objects in a bucket of Amazon S3 or a compatible service. */
export default {
  name: "s3",
  summary: "Objects in a bucket of Amazon S3, or of a service that speaks its protocol.",
  options: s3Options,
  capabilities: s3Capabilities,
  capabilitiesOf: s3CapabilitiesOf,
  example: `name: s3-archive
driver: s3
tier: cold
region: eu-central-1
options:
  bucket: example-archive
  prefix: thermocline/
  region: eu-central-1
  accessKeyId: env:S3_ACCESS_KEY_ID
  secretAccessKey: env:S3_SECRET_ACCESS_KEY
  storageClass: STANDARD_IA
`,
  open: async (context) => {
    // The SDK takes a while to load: only those who open such a backend wait for it.
    const { AwsBucketClient } = await import("#drivers/s3/aws-bucket-client.ts");
    const { S3Driver } = await import("#drivers/s3/s3-driver.ts");
    const { options } = context;
    return new S3Driver(
      context,
      new AwsBucketClient(context),
      (bucket) => new AwsBucketClient({ ...context, options: { ...options, bucket } }),
    );
  },
} satisfies DriverDefinition<S3Options>;
