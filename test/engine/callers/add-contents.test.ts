import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addContents, type AddOptions } from "#engine/callers/add-contents.ts";
import { rawCid } from "#content/cid.ts";
import { addDefaults, newWork } from "./content-engine.ts";

const page = Buffer.from("content of a page");
const seen: { readonly url: string; readonly headers: IncomingHttpHeaders }[] = [];
let folder: string;
let origin: string;
/** The same server by another name: another origin. */
let elsewhere: string;

const server = createServer((request, response) => {
  const url = request.url ?? "";
  seen.push({ url, headers: request.headers });
  if (url.startsWith("/moved")) {
    response.writeHead(302, { Location: `${elsewhere}/page.html` }).end();
  } else if (url.startsWith("/loop")) {
    response.writeHead(307, { Location: "/loop" }).end();
  } else if (url.startsWith("/file")) {
    response.writeHead(302, { Location: "file:///etc/passwd" }).end();
  } else if (url.startsWith("/short")) {
    response.writeHead(200, { "Content-Length": 100 });
    response.write("some", () => response.destroy());
  } else if (url.startsWith("/endless")) {
    response.writeHead(200);
    response.write(Buffer.alloc(3_000_000));
  } else if (url.startsWith("/part")) {
    response.writeHead(206, { "Content-Range": "bytes 0-3/100" }).end("some");
  } else if (url.startsWith("/page")) {
    response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" }).end(page);
  } else response.writeHead(403).end();
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "thermocline-add-"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  origin = `http://127.0.0.1:${port}`;
  elsewhere = `http://localhost:${port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true, force: true });
});

async function add(sources: readonly string[], options: Partial<AddOptions> = {}) {
  const request = { ...addDefaults(folder), sources, api: undefined, ...options };
  return await addContents(request, newWork());
}

test("a device is not read as a file, which might never end", async () => {
  const { failed } = await add(["/dev/zero"]);
  expect(failed[0]?.error).toMatchObject({
    code: "USAGE",
    hint: "read it as a stream: thermocline objects add - --name NAME < /dev/zero",
  });
});

test("a URL is followed where it leads, and its secrets stay with the server they are for", async () => {
  const withSecret = origin.replace("//", "//ada:s3cret@");
  const { added, failed } = await add([`${withSecret}/moved?sig=s3cret`]);
  expect(failed).toEqual([]);
  expect(added).toMatchObject([
    {
      cid: rawCid(page).toString(),
      size: page.length,
      name: "page.html",
      source: `${origin}/moved`,
    },
  ]);
  const [first, second] = seen.splice(0);
  expect(first?.headers.authorization).toBe(
    `Basic ${Buffer.from("ada:s3cret").toString("base64")}`,
  );
  expect(second).toMatchObject({ url: "/page.html" });
  expect(second?.headers.authorization).toBeUndefined();
});

test("what goes wrong with a URL is said without its secrets, and the other sources go on", async () => {
  const secret = (path: string): string =>
    `${origin.replace("//", "//ada:s3cret@")}${path}?k=s3cret`;
  const paths = ["/forbidden", "/loop", "/file", "/short", "/endless"];
  const sources = [...paths.map(secret), `${origin}/page`];
  const { added, failed } = await add(sources, { bytesMax: 1_000_000 });
  expect(added.map(({ cid }) => cid)).toEqual([rawCid(page).toString()]);
  expect(failed.map(({ error }) => error.code)).toEqual([
    "FORBIDDEN",
    "UNAVAILABLE",
    "USAGE",
    "UNAVAILABLE",
    "REFUSED",
  ]);
  const said = failed.map(({ source, error }) => `${source} ${error.message} ${error.hint}`).join();
  expect(said).not.toContain("s3cret");
});

test("addresses that cannot be fetched are refused as such, without their secrets", async () => {
  const sources = ["ftp://ada:s3cret@host/a?k=s3cret", "s3://bucket/key", "file:///etc/passwd"];
  const { added, failed } = await add([...sources, "ftp://ada:s3cret@[", "missing"]);
  expect(added).toEqual([]);
  expect(failed.map(({ source, error }) => [source, error.code])).toEqual([
    ["ftp://host/a", "USAGE"],
    ["s3://bucket/key", "USAGE"],
    ["file:///etc/passwd", "USAGE"],
    ["ftp://…", "USAGE"],
    ["missing", "NOT_FOUND"],
  ]);
  const [ftp, , file] = failed.map(({ error }) => error);
  expect(ftp?.message).toBe("ftp://host/a: ftp addresses cannot be added");
  expect(ftp?.hint).toMatch(/^files, directories, http and https URLs can; .* objects add - /);
  expect(file?.hint).toBe("give the path of the file");
  expect(JSON.stringify(failed.map(({ error }) => [error.message, error.hint]))).not.toContain(
    "s3cret",
  );
});

async function* stdin(): AsyncGenerator<Uint8Array | string> {
  yield await Promise.resolve("content ");
  yield Buffer.from("of a page");
}

test("standard input is content like any other, and needs a name to be wrapped", async () => {
  const plain = await add(["-"], { stdin: stdin() });
  expect(plain.added).toMatchObject([{ cid: rawCid(page).toString(), name: undefined }]);
  const wrapped = await add(["-"], { stdin: stdin(), wrap: true, name: "/p.html" });
  await writeFile(join(folder, "p.html"), page);
  const same = await add(["p.html"], { wrap: true });
  expect(wrapped.added[0]?.cid).toBe(same.added[0]?.cid);
  expect((await add(["-"], { stdin: stdin(), wrap: true })).failed).toMatchObject([
    { error: { code: "USAGE" } },
  ]);
});

test("a part of a content that was asked for whole is not stored as the content", async () => {
  const { added, failed } = await add([`${origin}/part`]);
  expect(added).toEqual([]);
  expect(failed[0]?.error).toMatchObject({
    code: "UNAVAILABLE",
    message: `${origin}/part answers with status 206: a part only, and all of it was asked for`,
  });
});
