import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AwsBucketClient } from "#drivers/s3/aws-bucket-client.ts";
import s3 from "#drivers/s3/s3.ts";

const silentMs = 1_500;
const request = { key: "object", metadata: {}, create: false } as const;

// No server here takes minutes to put an object together, so this one plays one that says nothing
// for a while. The limits are those of the driver, shortened.
describe("an S3 service that is silent for a while", () => {
  const asked: string[] = [];
  let server: Server;
  let client: AwsBucketClient;

  beforeEach(async () => {
    asked.length = 0;
    server = createServer((incoming, response) => {
      incoming.resume().on("end", () => void answer(incoming, response));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const options = s3.options.parse({
      bucket: "bucket",
      endpoint: `http://127.0.0.1:${port}`,
      forcePathStyle: true,
      accessKeyId: "key",
      secretAccessKey: "env:SECRET",
    });
    const context = {
      backend: "archive",
      options,
      capacityBytes: undefined,
      secret: () => Promise.resolve("secret"),
    };
    client = new AwsBucketClient(context, { usual: 200, assembling: 20_000 });
  });

  afterEach(async () => {
    client.close();
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });

  it("is waited for while it puts the parts of an upload together", async () => {
    const upload = await client.begin(request, "sent", undefined);
    await upload.part(1, Buffer.alloc(10), new AbortController().signal);
    await upload.complete(undefined);
    expect(asked.filter((line) => line.startsWith("POST /bucket/object?uploadId="))).toHaveLength(
      1,
    );
  });

  it("is asked again, and then given up, where nothing should take so long", async () => {
    const looking = client.head("late", undefined);
    await expect(looking).rejects.toMatchObject({ retryable: true });
    expect(asked.filter((line) => line.startsWith("HEAD")).length).toBeGreaterThan(1);
  });

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const line = `${incoming.method} ${incoming.url}`;
    asked.push(line);
    response.setHeader("ETag", '"0123456789abcdef0123456789abcdef"');
    if (line.includes("?uploads")) {
      response.end(
        "<InitiateMultipartUploadResult><UploadId>one</UploadId></InitiateMultipartUploadResult>",
      );
      return;
    }
    if (line.startsWith("POST") || line.startsWith("HEAD")) await sleep(silentMs);
    response.end(line.startsWith("POST") ? "<CompleteMultipartUploadResult/>" : undefined);
  }
});
