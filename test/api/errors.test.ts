import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import type { EngineApi } from "#model/engine-api.ts";
import type { Calls } from "./sample-engine.ts";
import type { ServedEngine } from "./served-engine.ts";
import { ApiClient } from "#api/client.ts";
import { EngineError, errorCodes } from "#model/engine-error.ts";
import type { ErrorCode } from "#model/engine-error.ts";
import { sampleEngine } from "./sample-engine.ts";
import { serveEngine } from "./served-engine.ts";

test("an error of the engine arrives with its code, hint, retry advice and details", async () => {
  for (const code of Object.keys(errorCodes) as ErrorCode[]) {
    const error = new EngineError(code, `it was ${code}`, {
      hint: "do this",
      retryAfterMs: 1_500,
      retryable: true,
      details: { backend: "hot", when: new Date(0), big: 2n ** 70n },
    });
    await using served = await serveEngine({ ...sampleEngine(), status: failing(error) });
    const thrown = await failureOf(served.client.status());
    expect(thrown).toMatchObject({
      code,
      message: `it was ${code}`,
      hint: "do this",
      retryAfterMs: 1_500,
      retryable: true,
      exitCode: error.exitCode,
      details: { backend: "hot", when: "1970-01-01T00:00:00.000Z", big: String(2n ** 70n) },
    });
  }
});

test("a problem is RFC 9457 and names status, code, exit code and when to come back", async () => {
  const busy = new EngineError("RATE_LIMITED", "slow down", { retryAfterMs: 1_500 });
  await using served = await serveEngine({ ...sampleEngine(), status: failing(busy) }, "loopback");
  const answer = await fetch(`${served.server.address}/api/v1/status`, { headers: bearer(served) });
  expect(answer.status).toBe(429);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  expect(answer.headers.get("retry-after")).toBe("2");
  expect(await answer.json()).toEqual({
    type: "urn:thermocline:error:rate-limited",
    title: errorCodes.RATE_LIMITED.meaning,
    status: 429,
    detail: "slow down",
    code: "RATE_LIMITED",
    exitCode: 5,
    retryable: true,
    retryAfterMs: 1_500,
  });
});

test("a defect of the engine is told to its operator and hidden from nobody", async () => {
  const defects: string[] = [];
  const { createApp } = await import("#api/app.ts");
  const app = createApp(
    {
      api: { ...sampleEngine(), nodes: failing(new TypeError("x is undefined")) },
      version: "0",
      instance: "i",
    },
    { token: "t".repeat(20), onDefect: (error) => defects.push(error.message) },
  );
  const headers = { authorization: `Bearer ${"t".repeat(20)}` };
  const answer = await app.request("/api/v1/nodes", { headers });
  expect(answer.status).toBe(500);
  expect(await answer.json()).toMatchObject({ code: "INTERNAL", exitCode: 70 });
  expect(defects).toEqual(["x is undefined"]);
});

test("a stream that fails at once has the status of its error, later the error as last line", async () => {
  await using served = await serveEngine(sampleEngine(), "loopback");
  const query = (sql: string) =>
    fetch(`${served.server.address}/api/v1/query`, {
      method: "POST",
      headers: bearer(served),
      body: JSON.stringify({ text: sql }),
    });
  const early = await query("select * from nothing_here");
  expect(early.status).toBe(404);
  const late = await query("select fails_later");
  expect(late.status).toBe(200);
  const lines = (await late.text()).trim().split("\n");
  expect(lines).toHaveLength(2);
  expect(JSON.parse(lines[0] ?? "")).toEqual({
    columns: ["a", "t", "b", "n"],
    rows: [{ a: String(2n ** 60n), t: "2026-03-01T12:00:00.000Z", b: "010203", n: null }],
  });
  expect(JSON.parse(lines[1] ?? "")).toMatchObject({
    type: "exit_error",
    code: 5,
    message: "too slow",
    hint: "ask for less",
    problem: { code: "TIMEOUT" },
  });
});

test("the client gives what came before a failure in mid-stream, then throws it", async () => {
  await using served = await serveEngine(sampleEngine());
  const rows: unknown[] = [];
  const reading = (async () => {
    for await (const chunk of served.client.query("select fails_later")) rows.push(...chunk.rows);
  })();
  expect(await failureOf(reading)).toMatchObject({ code: "TIMEOUT", hint: "ask for less" });
  expect(rows).toHaveLength(1);
});

test("a reader that stops early stops the engine's work", async () => {
  const stopped = Promise.withResolvers<string>();
  const endless: EngineApi["verify"] = async function* () {
    try {
      for (let copies = 0; ; copies += 1) {
        const rest = { total: 9, bytes: 0, verified: 0, absent: 0, corrupt: 0, elapsedMs: 0 };
        yield { type: "progress", copies, ...rest };
        await sleep(1);
      }
    } finally {
      stopped.resolve("stopped");
    }
  };
  await using served = await serveEngine({ ...sampleEngine(), verify: endless });
  for await (const line of served.client.verify({})) if (line.copies === 3) break;
  expect(await stopped.promise).toBe("stopped");
});

test("a controller that dies in mid-stream is an error, never a short answer", async () => {
  await using served = await serveEngine({
    ...sampleEngine(),
    async *query() {
      yield { columns: ["a"], rows: [{ a: 1 }] };
      await new Promise(() => {});
    },
  });
  const iterator = served.client.query("select 1")[Symbol.asyncIterator]();
  expect((await iterator.next()).done).toBe(false);
  await served.server.close();
  expect(await failureOf(iterator.next())).toMatchObject({ code: "UNAVAILABLE" });
});

test("without the right token only health, version and the description answer", async () => {
  const calls: Calls = [];
  await using served = await serveEngine(sampleEngine(calls), "loopback");
  const { address } = served.server;
  for (const token of ["", "wrong-wrong-wrong-wrong", `${served.token}x`]) {
    const client = new ApiClient({ address, token });
    expect(await failureOf(client.status())).toMatchObject({ code: "UNAUTHENTICATED" });
    expect(await failureOf(client.plan({}))).toMatchObject({ exitCode: 12 });
  }
  const refused = await fetch(`${address}/metrics`);
  expect(refused.status).toBe(401);
  expect(refused.headers.get("www-authenticate")).toContain("Bearer");
  expect(calls).toEqual([]);
  for (const path of ["/livez", "/readyz", "/startupz", "/version", "/api/v1/openapi.json"]) {
    expect((await fetch(`${address}${path}`)).status).toBe(200);
  }
});

test("an engine that cannot work is alive and not ready", async () => {
  const broken = failing(new EngineError("UNAVAILABLE", "the index is closed"));
  await using served = await serveEngine({ ...sampleEngine(), pauses: broken }, "loopback");
  const { address } = served.server;
  const statusOf = async (path: string) => (await fetch(`${address}${path}`)).status;
  expect(await statusOf("/livez")).toBe(200);
  expect(await statusOf("/readyz?verbose")).toBe(503);
});

test("readiness leaves out the checks it is told to, and refuses names it does not know", async () => {
  const broken = failing(new EngineError("UNAVAILABLE", "the index is closed"));
  await using served = await serveEngine({ ...sampleEngine(), pauses: broken }, "loopback");
  const { address } = served.server;
  const left = await fetch(`${address}/readyz?verbose&exclude=index`);
  expect([left.status, await left.text()]).toEqual([200, "[+] index excluded: ok\nok\n"]);
  expect((await fetch(`${address}/readyz?exclude=indexes`)).status).toBe(400);
  await using whole = await serveEngine(sampleEngine(), "loopback");
  const asked = await fetch(`${whole.server.address}/readyz?verbose`);
  expect([asked.status, await asked.text()]).toEqual([200, "[+] index ok\nok\n"]);
});

test("readiness asks nothing that waits for a queue", async () => {
  const calls: Calls = [];
  const waits = failing(new EngineError("UNAVAILABLE", "the queue does not answer"));
  const engine = { ...sampleEngine(calls), status: waits, nodes: waits, backends: waits };
  await using served = await serveEngine(engine, "loopback");
  expect((await fetch(`${served.server.address}/readyz`)).status).toBe(200);
  expect(calls.map(([name]) => name)).toEqual(["pauses"]);
});

test("wrong input is refused with every reason before the engine is called", async () => {
  const calls: Calls = [];
  await using served = await serveEngine(sampleEngine(calls), "loopback");
  const post = async (path: string, body: string) => {
    const url = `${served.server.address}${path}`;
    const answer = await fetch(url, { method: "POST", headers: bearer(served), body });
    return { status: answer.status, ...((await answer.json()) as { detail: string }) };
  };
  const relative = { path: "relative/dir", backend: "", unknown: 1 };
  const refused = await post("/api/v1/imports/directory", JSON.stringify(relative));
  expect(refused.status).toBe(400);
  expect(refused.detail).toContain("path: must be an absolute path");
  expect(refused.detail).toContain("backend: ");
  expect(refused.detail).toContain("unknown");
  expect((await post("/api/v1/plans", "{oops")).detail).toContain("not JSON");
  expect((await post("/api/v1/plans", "[1]")).detail).toContain("JSON object");
  expect((await post("/api/v1/plans", '{"at":"yesterday"}')).detail).toContain("at: ");
  expect((await post("/api/v1/nowhere", "{}")).status).toBe(404);
  const { client } = served;
  expect(await failureOf(client.planActions("x", -1, 10))).toMatchObject({ code: "USAGE" });
  expect(await failureOf(client.planActions("x", 0, 1e9))).toMatchObject({ code: "USAGE" });
  expect(await failureOf(client.run("run-2"))).toMatchObject({ details: { id: "run-2" } });
  expect(calls).toEqual([]);
});

test("a body over its bound is refused while it arrives, whatever its length header says", async () => {
  await using served = await serveEngine(sampleEngine());
  const big = JSON.stringify({ text: "x".repeat(2 * 1024 * 1024) });
  for (const headers of [{ "content-length": String(big.length) }, {}]) {
    const { status, body } = await rawPost(served, "/api/v1/query", headers, big);
    expect(status).toBe(413);
    expect(body).toContain('"code":"USAGE"');
  }
  const longLine = (async function* () {
    yield "x".repeat(100_000);
  })();
  const failure = await failureOf(served.client.importAccesses("b", longLine));
  expect(failure).toMatchObject({ code: "USAGE", message: expect.stringContaining("a line") });
});

test("what the caller's own lines throw is not blamed on the controller", async () => {
  await using served = await serveEngine(sampleEngine());
  const lines = (async function* () {
    yield "{}";
    await sleep(5);
    throw Object.assign(new Error("no such file: access.log"), { code: "ENOENT" });
  })();
  const failure = await failureOf(served.client.importAccesses("b", lines));
  expect(failure).toMatchObject({ code: "UNREADABLE", message: "no such file: access.log" });
});

test("an engine that refuses an upload in its middle is heard", async () => {
  await using served = await serveEngine({
    ...sampleEngine(),
    async importAccesses(_, lines) {
      for await (const line of lines) {
        if (line === "stop") throw new EngineError("NO_SPACE", "disk full");
      }
      throw new Error("unreachable");
    },
  });
  const endless = (async function* () {
    for (let n = 0; ; n += 1) yield n === 1_000 ? "stop" : `{"n":${n}}`;
  })();
  expect(await failureOf(served.client.importAccesses("b", endless))).toMatchObject({
    code: "NO_SPACE",
  });
});

test("no controller at the address is UNAVAILABLE and says how to start one", async () => {
  const client = new ApiClient({ address: "unix:/nonexistent/api.sock", token: "x" });
  const failure = await failureOf(client.plan({}));
  expect(failure).toMatchObject({ code: "UNAVAILABLE", hint: expect.stringContaining("up") });
  expect(failure.message).toContain("unix:/nonexistent/api.sock");
});

function failing(thrown: Error) {
  return () => Promise.reject(thrown);
}

async function failureOf(promise: Promise<unknown>): Promise<EngineError> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(EngineError);
  return outcome as EngineError;
}

function bearer(served: ServedEngine): Record<string, string> {
  return { authorization: `Bearer ${served.token}` };
}

async function rawPost(
  served: ServedEngine,
  path: string,
  headers: Record<string, string>,
  body: string,
) {
  const answer = await new Promise<{ status: number | undefined; body: string }>(
    (resolve, reject) => {
      const call = request(
        {
          socketPath: served.server.address.slice("unix:".length),
          path,
          method: "POST",
          agent: false,
          headers: { ...bearer(served), ...headers },
        },
        (response) => {
          text(response).then(
            (content) => resolve({ status: response.statusCode, body: content }),
            reject,
          );
        },
      );
      // The server stops reading once it has refused.
      call.on("error", () => {});
      call.end(body);
    },
  );
  return answer;
}
