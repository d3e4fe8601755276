import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { brotliCompressSync, gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { receiveUrl } from "#engine/callers/receive-url.ts";
import { freePort } from "../../../scripts/services/server-process.ts";

/** More than pipes hold, so that a reader who waits makes the connection wait. */
const large = Buffer.alloc(3_000_000, "large ");
/** All of it is in the machine's buffers when the server has closed. */
const small = Buffer.alloc(100_000, "small ");
const ok = "HTTP/1.0 200 OK";
const answers: Record<string, (socket: Socket) => void> = {
  "/closing": (socket) => socket.end(answer("HTTP/1.0 200 OK", [], large)),
  "/counted": (socket) =>
    socket.end(answer("HTTP/1.0 200 OK", [`Content-Length: ${large.length}`], large)),
  "/close": (socket) =>
    socket.end(
      answer("HTTP/1.1 200 OK", [`Content-Length: ${large.length}`, "Connection: close"], large),
    ),
  "/small": (socket) => socket.end(answer("HTTP/1.0 200 OK", [], small)),
  "/cut": (socket) => socket.end(answer("HTTP/1.0 200 OK", ["Content-Length: 100"], "some")),
  "/cut-pieces": (socket) =>
    socket.end(answer("HTTP/1.1 200 OK", ["Transfer-Encoding: chunked"], "4\r\nsome\r\n")),
  "/moved": (socket) => socket.end(answer("HTTP/1.0 302 Found", ["Location: /counted"], "")),
  "/gzip": (socket) => socket.end(encoded("gzip", gzipSync(large))),
  "/br": (socket) => socket.end(encoded("br", brotliCompressSync(large))),
  "/zstd": (socket) => socket.end(encoded("zstd", zstdCompressSync(large))),
  "/both": (socket) => socket.end(encoded("gzip, br", brotliCompressSync(gzipSync(large)))),
  "/cut-gzip": (socket) => socket.end(encoded("gzip", gzipSync(large).subarray(0, -20))),
  "/busy": (socket) => {
    const asked = told.length === 0 ? "HTTP/1.1 429 Wait" : "HTTP/1.1 503 Wait";
    socket.end(told.length < 2 ? answer(asked, ["Retry-After: 1"], "") : answer(ok, [], "some"));
  },
  "/later": (socket) => socket.end(answer("HTTP/1.1 429 Wait", ["Retry-After: 3600"], "")),
  "/at": (socket) =>
    socket.end(
      answer(
        "HTTP/1.1 503 Wait",
        ["Date: Mon, 23 Nov 2026 10:00:00 GMT", "Retry-After: Mon, 23 Nov 2026 10:02:00 GMT"],
        "",
      ),
    ),
  "/always": (socket) => socket.end(answer("HTTP/1.1 503 Wait", ["Retry-After: 0"], "")),
  "/away": (socket) => socket.end(answer("HTTP/1.1 503 Away", [], "")),
  "/empty": (socket) => socket.end(answer("HTTP/1.1 204 No Content", [], "")),
  "/nothing": (socket) => socket.end(),
  "/other": (socket) =>
    void socket.write(answer("HTTP/1.1 101 Switching", ["Upgrade: x", "Connection: Upgrade"], "")),
  "/silent": () => undefined,
  "/kept": (socket) => void socket.write(answer("HTTP/1.1 200 OK", ["Content-Length: 4"], "some")),
  "/begun": (socket) => void socket.write(answer("HTTP/1.0 200 OK", [], "some")),
};

function answer(status: string, headers: readonly string[], body: Uint8Array | string): Buffer {
  const head = [status, ...headers, "", ""].join("\r\n");
  return Buffer.concat([Buffer.from(head), Buffer.from(body)]);
}

function encoded(coding: string, body: Uint8Array): Buffer {
  return answer("HTTP/1.0 200 OK", [`Content-Encoding: ${coding}`], body);
}

const sockets = new Set<Socket>();
let server: Server;
let origin: string;

beforeAll(async () => {
  server = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    socket.once("data", (asked) => {
      const [, path = ""] = asked.toString("latin1").split(" ");
      answers[path]?.(socket);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  server.close();
});

const told: string[] = [];
const onWait = (message: string): void => void told.push(message);

async function receive(path: string, signal = new AbortController().signal) {
  return await receiveUrl(`${origin}${path}`, { signal, bytesMax: 1024 ** 3, onWait });
}

/** Reads as one who writes to a disk meanwhile, and is busy between any two pieces. */
async function readSlowly(path: string): Promise<Buffer> {
  const { stream } = await receive(path);
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) {
    await sleep(5);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

describe("the content of a URL", () => {
  test.for(["/closing", "/counted", "/close", "/moved"])(
    "is read whole where the server ends the connection behind it: %s",
    async (path) => {
      expect((await readSlowly(path)).equals(large)).toBe(true);
    },
  );

  test("that nobody reads yet when its server ends the connection is read afterwards", async () => {
    const { stream } = await receive("/small");
    await sleep(200);
    expect(await buffer(stream)).toEqual(small);
  });

  test.for(["/gzip", "/br", "/zstd", "/both"])(
    "is decoded where a server encodes what was asked for as it is: %s",
    async (path) => {
      const { stream, bytes } = await receive(path);
      expect(bytes).toBeUndefined();
      expect((await buffer(stream)).equals(large)).toBe(true);
    },
  );

  test.for(["/cut", "/cut-pieces", "/cut-gzip"])("that was cut is an error: %s", async (path) => {
    const { stream } = await receive(path);
    await expect(buffer(stream)).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringMatching(/broke off after \d+ bytes$/),
    });
  });

  test("that does not come is an error that says why", async () => {
    await expect(receive("/nothing")).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: `${origin}/nothing does not answer: socket hang up`,
    });
    await expect(receive("/other")).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: `${origin}/other does not answer: the server wants to speak another protocol (status 101)`,
    });
    const port = await freePort();
    const nobody = receiveUrl(`http://localhost:${port}/`, {
      signal: new AbortController().signal,
      bytesMax: 1,
      onWait,
    });
    await expect(nobody).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringMatching(/does not answer: connect ECONNREFUSED/),
    });
  });

  test("whose connection breaks is an error also where its end is that of the connection", async () => {
    const { stream } = await receive("/begun");
    const pieces = stream[Symbol.asyncIterator]();
    expect((await pieces.next()).value).toEqual(Buffer.from("some"));
    const rest = pieces.next();
    for (const socket of sockets) socket.resetAndDestroy();
    await expect(rest).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: `${origin}/begun broke off after 4 bytes`,
    });
  });

  test("is asked for again when its server said when to come back", async () => {
    told.length = 0;
    const { stream } = await receive("/busy");
    expect((await buffer(stream)).toString()).toBe("some");
    expect(told).toEqual([
      `${origin}/busy answers with status 429: it is asked again in 1s`,
      `${origin}/busy answers with status 503: it is asked again in 1s`,
    ]);
    told.length = 0;
    await expect(receive("/always")).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(told).toHaveLength(3);
  });

  test.for([
    ["/later", "RATE_LIMITED", 3_600_000, "it says: not for another 1h"],
    ["/at", "UNAVAILABLE", 120_000, "it says: not for another 2m"],
    ["/away", "UNAVAILABLE", undefined, undefined],
  ] as const)("is not waited for for long: %s", async ([path, code, retryAfterMs, hint]) => {
    told.length = 0;
    const error = await receive(path).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, retryable: true, retryAfterMs, hint });
    expect(told).toEqual([]);
  });

  test("that is said not to be there is no empty content", async () => {
    await expect(receive("/empty")).rejects.toMatchObject({
      code: "UNAVAILABLE",
      retryable: false,
      message: `${origin}/empty answers with status 204: it has no content to give`,
    });
  });

  test("that has come whole is not lost with the connection behind it", async () => {
    const { stream } = await receive("/kept");
    for (const socket of sockets) socket.resetAndDestroy();
    await expect.poll(() => sockets.size, { timeout: 60_000 }).toBe(0);
    await sleep(100);
    expect((await buffer(stream)).toString()).toBe("some");
  });

  test("is no longer waited for, nor read, once nobody wants it", async () => {
    const stop = new AbortController();
    const silent = receive("/silent", stop.signal);
    const { stream } = await receive("/begun", stop.signal);
    const pieces = stream[Symbol.asyncIterator]();
    expect((await pieces.next()).value).toEqual(Buffer.from("some"));
    const rest = pieces.next();
    stop.abort();
    await expect(silent).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await expect(rest).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await expect.poll(() => sockets.size, { timeout: 60_000 }).toBe(0);
  });
});
