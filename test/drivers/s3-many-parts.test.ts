import { afterEach, beforeEach, expect, test } from "vitest";
import { AwsBucketClient } from "#drivers/s3/aws-bucket-client.ts";
import s3 from "#drivers/s3/s3.ts";
import { playAnswers, type PlayedService } from "../services/played-service.ts";

const request = { key: "object", metadata: {}, create: false } as const;
const internalError =
  "<Error><Code>InternalError</Code><Message>We encountered an internal error</Message></Error>";

let service: PlayedService;
let client: AwsBucketClient;

// What versitygw v1.7.0 answered on ext4 for an upload of 820 parts.
beforeEach(async () => {
  service = await playAnswers();
  service.answer(({ method, path }) => {
    if (method === "PUT") return { status: 200, headers: { ETag: '"part"' } };
    if (method === "GET") return { status: 200, body: "<ListMultipartUploadsResult/>" };
    if (!path.includes("uploadId=")) return { status: 200, body: initiated };
    return { status: 500, body: internalError };
  });
  const options = s3.options.parse({
    bucket: "bucket",
    endpoint: service.url,
    forcePathStyle: true,
    accessKeyId: "key",
    secretAccessKey: "env:SECRET",
  });
  client = new AwsBucketClient({
    backend: "archive",
    options,
    capacityBytes: undefined,
    secret: () => Promise.resolve("secret"),
  });
});

afterEach(async () => {
  client.close();
  await service.stop();
});

const initiated =
  "<InitiateMultipartUploadResult><UploadId>upload</UploadId></InitiateMultipartUploadResult>";

test("a service that fails to put very many parts together is one to give larger ones", async () => {
  await expect(complete(300)).rejects.toMatchObject({
    code: "UNAVAILABLE",
    retryable: true,
    hint: "if this repeats, 300 parts are too many for it: raise `partSize`",
  });
});

test("where there were few parts, nothing is said of them", async () => {
  const failure = await complete(3).catch((thrown: unknown) => thrown);
  expect(failure).toMatchObject({ code: "UNAVAILABLE" });
  expect(String((failure as { hint?: string }).hint)).not.toContain("partSize");
});

async function complete(parts: number): Promise<void> {
  const upload = await client.begin(request, "sent", undefined);
  const { signal } = new AbortController();
  for (let number = 1; number <= parts; number += 1) {
    await upload.part(number, Buffer.from("part"), signal);
  }
  await upload.complete(undefined);
}
