import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Driver } from "#model/driver.ts";
import { fileBody, sample } from "../conformance/sample-object.ts";
import { openBucket } from "./s3-bucket.ts";

const stored = sample(10);
const { object } = stored;

// versitygw answers 412 while a body is on its way, and closes: whether the client reads the answer
// or meets the closed connection is a matter of moments. This one plays a service that always cuts.
describe("an S3 service that cuts what is to be created over a delete marker", () => {
  let server: Server;
  let driver: Driver;
  let marked: boolean;
  let versioning: string | number;
  let lookStatus: number;
  let condition: "cut" | "refused";
  /** The requests that stored something. */
  let puts: string[];
  const there = new Set<string>();

  beforeEach(async () => {
    [marked, versioning, lookStatus, condition, puts] = [true, "Enabled", 200, "cut", []];
    there.clear();
    server = createServer((request, response) => {
      request.resume().once("end", () => answer(request, response));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    driver = await openBucket(
      {
        endpoint: `http://127.0.0.1:${port}`,
        region: "eu-test-1",
        accessKeyId: "a",
        secretAccessKey: "b",
      },
      "bucket",
    );
  });
  afterEach(async () => {
    await driver.close();
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://server.example");
    if (searchParams.has("versioning")) return sendVersioning(response);
    if (searchParams.has("versions")) return sendVersions(response);
    if (request.method === "GET")
      return send(response, 200, "<ListBucketResult><Name>bucket</Name></ListBucketResult>");
    if (request.method === "HEAD") {
      response.writeHead(there.has(pathname) ? 200 : 404, { ETag: '"1"', "Content-Length": "10" });
      response.end();
    } else if (request.headers["if-none-match"] === undefined) {
      puts.push(pathname);
      there.add(pathname);
      response.writeHead(200, { ETag: '"1"' }).end();
    } else if (condition === "cut") {
      request.socket.resetAndDestroy();
    } else send(response, 412, "<Error><Code>PreconditionFailed</Code></Error>");
  }

  function sendVersioning(response: ServerResponse): void {
    const isStatus = typeof versioning === "string";
    const body = `<VersioningConfiguration><Status>${versioning}</Status></VersioningConfiguration>`;
    send(response, isStatus ? 200 : Number(versioning), isStatus ? body : "");
  }

  function sendVersions(response: ServerResponse): void {
    const kind = marked ? "DeleteMarker" : "Version";
    const entry = `<Key>${object.cid}</Key><VersionId>v2</VersionId><IsLatest>true</IsLatest>`;
    const body = `<ListVersionsResult><${kind}>${entry}</${kind}></ListVersionsResult>`;
    send(response, lookStatus, lookStatus === 200 ? body : "<Error><Code>Refused</Code></Error>");
  }

  it("is asked for it again without the condition", async () => {
    expect(await driver.write(object, fileBody(stored))).toMatchObject({ bytes: 10 });
    expect(puts).toEqual([`/bucket/${object.cid}`]);
  });

  it.each(["Suspended", 403, 405, 501] as const)(
    "is not, where the bucket may keep no versions (%s): the next try may do better",
    async (status) => {
      versioning = status;
      await expect(driver.write(object, fileBody(stored))).rejects.toMatchObject({
        code: "NOT_SUPPORTED",
        retryable: true,
        hint: expect.stringContaining("--version-id 'v2'") as string,
      });
      expect(puts).toEqual([]);
    },
  );

  it("is unreachable where there is no marker", async () => {
    marked = false;
    await expect(driver.write(object, fileBody(stored))).rejects.toMatchObject({
      code: "UNAVAILABLE",
    });
    expect(puts).toEqual([]);
  });

  it.each([403, 405, 501])("is believed where nobody may look (%s)", async (status) => {
    [condition, lookStatus] = ["refused", status];
    await expect(driver.write(object, fileBody(stored))).rejects.toMatchObject({
      code: "CONFLICT",
      message: expect.stringContaining("was written twice") as string,
    });
    expect(puts).toEqual([]);
  });

  it.each([400, 503])("is not believed where the look failed (%s)", async (status) => {
    [condition, lookStatus] = ["refused", status];
    const error: unknown = await driver
      .write(object, fileBody(stored))
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ details: { status } });
    expect(error).not.toMatchObject({ code: "CONFLICT" });
    expect(puts).toEqual([]);
  });
});

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { "Content-Type": "application/xml" }).end(body);
}
