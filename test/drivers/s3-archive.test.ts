import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { AwsBucketClient } from "#drivers/s3/aws-bucket-client.ts";
import s3 from "#drivers/s3/s3.ts";
import { uploadBody } from "#drivers/s3/upload-body.ts";
import { isArchived } from "#model/archived.ts";
import type { Driver } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { collect, fileBody, pieces, sample } from "../conformance/sample-object.ts";
import { startVersitygw, type VersitygwServer, versitygwMissing } from "../services/versitygw.ts";
import { newBucket } from "./s3-bucket.ts";

// contract-fixtures: no S3 server that runs here has archive classes. This one plays the answers
// of the S3 API reference (HeadObject: x-amz-restore; GetObject: InvalidObjectState;
// RestoreObject: 202, then 409 RestoreAlreadyInProgress) to the real client.
describe("s3 in an archive class (contract-fixtures)", () => {
  const opened: Driver[] = [];
  let server: Server;
  let glacier: Glacier;
  const stored = sample(5_000);

  beforeEach(async () => {
    glacier = new Glacier();
    server = createServer((request, response) => glacier.answer(request, response));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  afterEach(async () => {
    for (const driver of opened.splice(0)) await driver.close();
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });

  async function open(options: Readonly<Record<string, unknown>> = {}): Promise<Driver> {
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const driver = await s3.open({
      backend: "archive",
      options: s3.options.parse({
        bucket: "bucket",
        endpoint: `http://127.0.0.1:${port}`,
        forcePathStyle: true,
        accessKeyId: "key",
        secretAccessKey: "env:SECRET",
        storageClass: "GLACIER",
        ...options,
      }),
      capacityBytes: undefined,
      secret: () => Promise.resolve("secret"),
    });
    opened.push(driver);
    return driver;
  }

  it("a copy just written is proven by the SHA-256 that the service took, without reading it", async () => {
    const driver = await open();
    await driver.write(stored.object, fileBody(stored));
    const evidence = await driver.verify(stored.object, "verified");
    expect(glacier.storageClass).toBe("GLACIER");
    expect(evidence).toMatchObject({ finding: "present", confidence: "verified", bytesRead: 0 });
    glacier.checksum = "bm90IHdoYXQgd2FzIHNlbnQ=";
    const other = await driver.verify(stored.object, "verified");
    expect(other).toMatchObject({ finding: "corrupt", confidence: "verified" });
  });

  it("a copy that somebody else wrote is seen, and never called verified", async () => {
    await (await open()).write(stored.object, fileBody(stored));
    const evidence = await (await open()).verify(stored.object, "verified");
    expect(evidence).toMatchObject({ finding: "present", confidence: "listed", bytesRead: 0 });
    expect(evidence.method).toContain("archive");
  });

  it("is restored on request: asked for once, then asked about, then read", async () => {
    const driver = await open({ restoreDays: 5, restoreTier: "bulk" });
    const copy = await driver.write(stored.object, fileBody(stored));
    const read = () => driver.read(stored.object, copy).then(collect);
    const refused: unknown = await read().catch((thrown: unknown) => thrown);
    expect(refused).toMatchObject({ code: "NOT_SUPPORTED", retryable: false });
    expect(isArchived(EngineError.from(refused))).toBe(true);

    const first = await driver.thaw?.(stored.object, copy);
    expect(first).toMatchObject({ readable: false, askAfterMs: 30 * 60_000 });
    expect(glacier.restores).toHaveLength(1);
    expect(glacier.restores[0]).toContain("<Days>5</Days>");
    expect(glacier.restores[0]).toContain("<Tier>Bulk</Tier>");
    expect((await driver.thaw?.(stored.object, copy))?.message).toContain("is being restored");
    expect(glacier.restores).toHaveLength(1);

    glacier.restore = `ongoing-request="false", expiry-date="Fri, 27 Nov 2026 00:00:00 GMT"`;
    const done = await driver.thaw?.(stored.object, copy);
    expect(done).toMatchObject({ readable: true });
    expect(done?.message).toContain("27 Nov 2026");
    expect(await read()).toEqual(Buffer.from(stored.bytes));
    const evidence = await driver.verify(stored.object, "verified");
    expect(evidence).toMatchObject({ confidence: "verified", bytesRead: 5_000 });
  });

  it("two workers that ask at the same moment are both told that it is on its way", async () => {
    const driver = await open();
    const copy = await driver.write(stored.object, fileBody(stored));
    glacier.isForgetful = true;
    for (const _ of [1, 2]) {
      expect(await driver.thaw?.(stored.object, copy)).toMatchObject({ readable: false });
    }
    expect(glacier.restores).toHaveLength(2);
  });
});

/** One object in an archive class. */
class Glacier {
  body: Buffer | undefined;
  checksum = "";
  storageClass = "";
  restore: string | undefined;
  readonly restores: string[] = [];
  /** Shows a restore later than it takes it, as a service of many machines may. */
  isForgetful = false;

  answer(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { status, headers = {}, body = "" } = this.#answer(request, Buffer.concat(chunks));
      response.writeHead(status, { Server: "AmazonS3", ...headers });
      response.end(request.method === "HEAD" ? undefined : body);
    });
  }

  #answer({ method, url = "", headers }: IncomingMessage, sent: Buffer): Answer {
    if (url.includes("list-type=2")) return { status: 200, body: emptyListing };
    if (method === "PUT") {
      this.body = sent;
      this.checksum = String(headers["x-amz-checksum-sha256"]);
      this.storageClass = String(headers["x-amz-storage-class"]);
      return { status: 200, headers: { ETag: '"etag"' } };
    }
    if (this.body === undefined) return { status: 404, body: errorBody("NoSuchKey") };
    if (method === "POST" && url.includes("restore")) {
      this.restores.push(sent.toString());
      const isFirst = this.restores.length === 1;
      if (!this.isForgetful) this.restore = 'ongoing-request="true"';
      return isFirst
        ? { status: 202 }
        : { status: 409, body: errorBody("RestoreAlreadyInProgress") };
    }
    if (method === "GET" && this.restore?.includes("expiry-date") !== true) {
      return { status: 403, body: errorBody("InvalidObjectState") };
    }
    const asked = headers["x-amz-checksum-mode"] === "ENABLED";
    return {
      status: 200,
      headers: {
        ETag: '"etag"',
        "Content-Length": String(this.body.length),
        "x-amz-storage-class": this.storageClass,
        ...(this.restore === undefined ? {} : { "x-amz-restore": this.restore }),
        ...(asked ? { "x-amz-checksum-sha256": this.checksum } : {}),
      },
      body: this.body,
    };
  }
}

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

const emptyListing =
  '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult ' +
  'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>bucket</Name><KeyCount>0</KeyCount>' +
  "<IsTruncated>false</IsTruncated></ListBucketResult>";

function errorBody(code: string): string {
  return (
    `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code>` +
    "<Message>as documented</Message><RequestId>4442587FB7D0A2F9</RequestId></Error>"
  );
}

const missing = versitygwMissing();
if (missing !== undefined) console.error(`skipped: checksums of a real server: ${missing}`);

describe.skipIf(missing !== undefined)("the SHA-256 that versitygw v1.7.0 takes", () => {
  let server: VersitygwServer;
  beforeAll(async () => {
    server = await startVersitygw();
  });
  afterAll(async () => {
    await server.stop();
  });

  it("is the one we expect, of a small body and of one in parts", async () => {
    const bucket = await newBucket(server);
    const { region, endpoint, accessKeyId, secretAccessKey } = server;
    const options = s3.options.parse({
      bucket,
      region,
      endpoint,
      accessKeyId,
      forcePathStyle: true,
      secretAccessKey: "env:SECRET",
      partSize: "5MiB",
    });
    const client = new AwsBucketClient({
      backend: "archive",
      options,
      capacityBytes: undefined,
      secret: () => Promise.resolve(secretAccessKey),
    });
    for (const size of [0, 5_000, 11 * 1024 * 1024]) {
      const { bytes } = sample(size);
      const request = { key: `of-${size}`, metadata: {}, create: true };
      const upload = { partBytes: options.partSize, concurrency: 2, signal: undefined };
      const sent = await uploadBody(client, request, pieces(bytes), {
        ...upload,
        expectedBytes: size,
      });
      expect(sent).toBeDefined();
      expect(await client.checksum(request.key, undefined)).toBe(sent);
    }
    client.close();
  });
});
