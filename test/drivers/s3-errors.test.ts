import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Driver } from "#model/driver.ts";
import { s3Error } from "#drivers/s3/s3-error.ts";
import s3 from "#drivers/s3/s3.ts";
import { collect, fileBody, sample } from "../conformance/sample-object.ts";

/** An answer as a service would send it. */
interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

// The error answers are those of the S3 API reference ("Error responses", list of error codes):
// a real server does not fail on request, so this one plays the answers to the real client.
describe("an S3 service that answers with an error", () => {
  let server: Server;
  let driver: Driver;
  let answer: Answer = { status: 200 };

  beforeEach(async () => {
    server = createServer((request, response) => {
      request.resume();
      response.writeHead(answer.status, { Server: "scripted", ...answer.headers });
      response.end(answer.body);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    ({ driver } = await reached(`http://127.0.0.1:${port}`));
  });

  afterEach(async () => {
    await driver.close();
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });

  const cases = [
    [503, "SlowDown", { code: "RATE_LIMITED", retryable: true, retryAfterMs: 1_000 }],
    [429, "TooManyRequests", { code: "RATE_LIMITED", retryable: true }],
    [500, "InternalError", { code: "UNAVAILABLE", retryable: true }],
    [403, "RequestTimeTooSkewed", { code: "UNAUTHENTICATED", retryable: false }],
    [403, "SignatureDoesNotMatch", { code: "UNAUTHENTICATED", retryable: false }],
    [403, "InvalidAccessKeyId", { code: "UNAUTHENTICATED", retryable: false }],
    [400, "ExpiredToken", { code: "UNAUTHENTICATED", retryable: false }],
    [403, "AccessDenied", { code: "FORBIDDEN", retryable: false }],
    [404, "NoSuchBucket", { code: "UNAVAILABLE", retryable: false }],
    [404, "SomethingUnheardOf", { code: "UNAVAILABLE", retryable: false }],
    [301, "PermanentRedirect", { code: "UNAVAILABLE", retryable: false }],
    [400, "AuthorizationHeaderMalformed", { code: "UNAVAILABLE", retryable: false }],
    [501, "NotImplemented", { code: "NOT_SUPPORTED", retryable: false }],
    [507, "InsufficientStorage", { code: "NO_SPACE", retryable: false }],
    [400, "SomethingUnheardOf", { code: "NOT_SUPPORTED", retryable: false }],
  ] as const;

  for (const [status, code, expected] of cases) {
    it(`${code} (${status}) is ${expected.code}`, async () => {
      const headers = "retryAfterMs" in expected ? { "Retry-After": "1" } : {};
      answer = { status, headers, body: errorBody(code) };
      await expect(driver.status()).rejects.toMatchObject(expected);
      // HEAD has no body: the driver must find out by itself, and never call it absent.
      await expect(driver.stat(sample(1).object)).rejects.toMatchObject(expected);
    });
  }

  it("a bucket in another region is named with the region to set", async () => {
    const headers = { "x-amz-bucket-region": "eu-central-1" };
    answer = { status: 301, headers, body: errorBody("PermanentRedirect") };
    const hint = expect.stringContaining("region: eu-central-1") as string;
    await expect(driver.status()).rejects.toMatchObject({ code: "UNAVAILABLE", hint });
  });

  it("a region that the service expects is named as the one to set", async () => {
    const said = "the region 'us-east-1' is wrong; expecting 'eu-west-3'";
    const body = `<Error><Code>AuthorizationHeaderMalformed</Code><Message>${said}</Message></Error>`;
    answer = { status: 400, body };
    const hint = expect.stringContaining("`region: eu-west-3`") as string;
    await expect(driver.status()).rejects.toMatchObject({ code: "UNAVAILABLE", hint });
  });

  it("a service without TLS, or with a certificate of its own, is told apart from one that is away", async () => {
    const address = server.address();
    const port = typeof address === "object" ? (address?.port ?? 0) : 0;
    await using plain = await reached(`https://127.0.0.1:${port}`);
    await expect(plain.driver.status()).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringMatching(/^[^\n]*\(Error: wrong version number\)$/) as string,
      hint: expect.stringContaining("http://") as string,
    });
    const thrown = Object.assign(new Error("self-signed certificate"), {
      code: "DEPTH_ZERO_SELF_SIGNED_CERT",
    });
    expect(s3Error(thrown, "listing")).toMatchObject({
      code: "UNAVAILABLE",
      retryable: false,
      hint: expect.stringContaining("NODE_EXTRA_CA_CERTS") as string,
    });
  });

  it("a bucket in the host name of a service that has no such hosts is told how to be set up", async () => {
    const failure = new Error("getaddrinfo ENOTFOUND bucket.storage.example");
    const thrown = Object.assign(failure, { code: "ENOTFOUND" });
    expect(s3Error(thrown, "listing")).toMatchObject({
      code: "UNAVAILABLE",
      retryable: true,
      hint: expect.stringContaining("`forcePathStyle: true`") as string,
    });
  });

  it("an answer without a message is told by its code alone", async () => {
    answer = { status: 403, body: "<Error><Code>SignatureDoesNotMatch</Code></Error>" };
    await expect(driver.status()).rejects.toMatchObject({
      message: expect.stringMatching(/\(SignatureDoesNotMatch 403\)$/) as string,
    });
  });

  it("a clock that is wrong is told by how much", async () => {
    const headers = { Date: new Date(Date.now() - 20 * 60_000).toUTCString() };
    answer = { status: 403, headers, body: errorBody("RequestTimeTooSkewed") };
    const hint = expect.stringMatching(/20m.* ahead of the service's/) as string;
    await expect(driver.status()).rejects.toMatchObject({ code: "UNAUTHENTICATED", hint });
  });

  it("a time to come back at is counted from the clock of the service, and heard at once", async () => {
    let asked = 0;
    server.on("request", () => (asked += 1));
    answer = {
      status: 429,
      headers: {
        Date: "Sat, 21 Nov 2026 15:00:00 GMT",
        "Retry-After": "Sat, 21 Nov 2026 15:01:30 GMT",
      },
    };
    const expected = { code: "RATE_LIMITED", retryAfterMs: 90_000 };
    await expect(driver.stat(sample(1).object)).rejects.toMatchObject(expected);
    expect(asked).toBe(1);
  });

  it("what is not S3 at all never looks like an empty bucket", async () => {
    for (const status of [200, 404]) {
      const headers = { "Content-Type": "text/html" };
      answer = { status, headers, body: "<html><body>It works!</body></html>" };
      const listing = driver.list()[Symbol.asyncIterator]().next();
      await expect(listing).rejects.toMatchObject({ name: "EngineError", retryable: false });
      const looking = driver.verify(sample(1).object, "listed");
      await expect(looking).rejects.toMatchObject({ name: "EngineError", retryable: false });
    }
  });

  it("a body that breaks off is an error, never a short copy", async () => {
    answer = { status: 200, headers: { "Content-Length": "10" } };
    server.removeAllListeners("request");
    server.on("request", (_request, response) => {
      response.writeHead(200, { "Content-Length": "10" });
      response.write("12345");
      setTimeout(() => response.destroy(), 50);
    });
    const { object } = sample(10);
    const copy = { locator: "", form: "file", bytes: 10 } as const;
    const reading = driver.read(object, copy).then(collect);
    await expect(reading).rejects.toMatchObject({ code: "UNAVAILABLE", retryable: true });
  });

  it("a conflict that leaves no copy is worth another try", async () => {
    server.removeAllListeners("request");
    server.on("request", (request, response) => {
      request.resume();
      request.once("end", () => {
        const [status, code] = request.method === "PUT" ? [409, conflict] : [404, "NoSuchKey"];
        const listing = request.method === "GET";
        response.writeHead(listing ? 200 : status, { "Content-Type": "application/xml" });
        response.end(listing ? emptyListing : errorBody(code));
      });
    });
    const stored = sample(10);
    const writing = driver.write(stored.object, fileBody(stored));
    await expect(writing).rejects.toMatchObject({ code: "CONFLICT", retryable: true });
  });
});

const conflict = "ConditionalRequestConflict";

const emptyListing =
  '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult ' +
  'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>bucket</Name><KeyCount>0</KeyCount>' +
  "<IsTruncated>false</IsTruncated></ListBucketResult>";

function errorBody(code: string): string {
  return (
    `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code>` +
    "<Message>as documented</Message><Resource>/bucket</Resource>" +
    "<RequestId>4442587FB7D0A2F9</RequestId></Error>"
  );
}

/** The driver of a bucket at an address. */
async function reached(endpoint: string) {
  const driver = await s3.open({
    backend: "archive",
    options: s3.options.parse({
      bucket: "bucket",
      endpoint,
      forcePathStyle: true,
      accessKeyId: "key",
      secretAccessKey: "env:SECRET",
    }),
    capacityBytes: undefined,
    secret: () => Promise.resolve("secret"),
  });
  return { driver, [Symbol.asyncDispose]: () => driver.close() };
}
