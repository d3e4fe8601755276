import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ByteStream, Driver } from "#model/driver.ts";
import pinningService from "#drivers/pinning-service/pinning-service.ts";
import { permit, sample } from "../conformance/sample-object.ts";
import { type AskedRequest, playAnswers, type PlayedService } from "../services/played-service.ts";

interface Request {
  readonly requestid: string;
  readonly status: string;
  readonly created: string;
  readonly pin: { readonly cid: string; readonly meta?: Readonly<Record<string, string>> };
  readonly delegates: readonly string[];
  readonly info?: Readonly<Record<string, string>>;
}

// contract-fixtures: answers in the form of the IPFS Pinning Service API specification 1.0.0, with
// what hosted services do and a cluster does not, are played to the real client.
describe("a pinning service", () => {
  let service: PlayedService;
  let driver: Driver;
  const { object } = sample(10);
  const body = {
    form: "dag",
    bytes: undefined,
    // Without a node of ours the bytes are never asked for: the service looks for them itself.
    stream: {
      [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error("read")) }),
    } as ByteStream,
  } as const;

  const openDriver = (
    patience: Readonly<Record<"pinTimeout" | "timeout", string>>,
    capacityBytes?: number,
    more: { secret?: string; options?: Readonly<Record<string, string>> } = {},
  ) =>
    pinningService.open({
      backend: "pins",
      options: pinningService.options.parse({
        url: `${service.url}/api/v1`,
        token: "env:TOKEN",
        meta: { owner: "ops" },
        origins: ["/dns4/node.example/tcp/4001/p2p/12D3KooWExample"],
        ...patience,
        ...more.options,
      }),
      capacityBytes,
      secret: () => Promise.resolve(more.secret ?? "the-token"),
    });

  beforeEach(async () => {
    service = await playAnswers();
    // However busy the machine is: what is to run out of time says so itself.
    driver = await openDriver({ pinTimeout: "20s", timeout: "20s" });
  });
  afterEach(async () => {
    await driver.close();
    await service.stop();
  });

  const cases = [
    [400, { code: "NOT_SUPPORTED", retryable: false }],
    [401, { code: "UNAUTHENTICATED", retryable: false }],
    [403, { code: "FORBIDDEN", retryable: false }],
    [404, { code: "UNAVAILABLE", retryable: false }],
    // "Insufficient funds" of the specification.
    [409, { code: "NO_SPACE", retryable: false }],
    [429, { code: "RATE_LIMITED", retryable: true, retryAfterMs: 9_000 }],
    [500, { code: "UNAVAILABLE", retryable: true }],
    [502, { code: "UNAVAILABLE", retryable: true }],
    [503, { code: "UNAVAILABLE", retryable: true, retryAfterMs: 9_000 }],
  ] as const;

  for (const [status, expected] of cases) {
    it(`${status} is ${expected.code}, with what the service says`, async () => {
      const error = { reason: "A_REASON", details: "words for a person" };
      const headers = { "Retry-After": "9" };
      service.answer(() => ({ status, headers, body: JSON.stringify({ error }) }));
      const told = expect.stringContaining("A_REASON: words for a person") as string;
      for (const attempt of [
        () => driver.status(),
        () => driver.stat(object),
        () => driver.write(object, body),
        () => driver.remove(object, permit(object, "pins")),
        () => Array.fromAsync(driver.list()),
      ]) {
        await expect(attempt()).rejects.toMatchObject({ ...expected, message: told });
      }
      expect(service.asked[0]).toMatchObject({ authorization: "Bearer the-token" });
      expect(service.asked[0]?.path).toMatch(/^\/api\/v1\/pins\?/);
    });
  }

  it.each([
    ["Basic:user:p w", `Basic ${Buffer.from("user:p w").toString("base64")}`],
    ["BASIC:dXNlcjpw", "Basic dXNlcjpw"],
    ["Bearer:abc", "Bearer abc"],
    ["bearer:abc", "Bearer abc"],
    ["abc", "Bearer abc"],
    ["bearer abc", "bearer abc"],
    ["Basic dXNlcjpw", "Basic dXNlcjpw"],
  ])(
    "the secret %s of a node goes out as %s, and what a 403 says is told",
    async (secret, sent) => {
      const node = await openDriver({ pinTimeout: "20s", timeout: "20s" }, undefined, {
        secret,
        options: { node: service.url, nodeAuthorization: "env:NODE" },
      });
      const bodies = ["403 - Forbidden by rule 7\n", JSON.stringify({ Message: "by rule 7" })];
      for (const words of bodies) {
        service.answer(() => ({ status: 403, body: words }));
        const troubles = await node.troubles?.();
        expect(JSON.stringify(troubles)).toMatch(/does not let us call id \(403: .*by rule 7\)/);
      }
      await node.close();
      expect(service.asked.map(({ authorization }) => authorization)).toEqual([sent, sent]);
    },
  );

  it("what is no pinning service never looks like an empty one", async () => {
    for (const status of [200, 404]) {
      service.answer(() => ({ status, body: "<html>It works!</html>" }));
      await expect(driver.stat(object)).rejects.toMatchObject({ code: "UNAVAILABLE" });
      const removing = driver.remove(object, permit(object, "pins"));
      await expect(removing).rejects.toMatchObject({ code: "UNAVAILABLE" });
    }
  });

  it("asks for pins with origins and metadata, and waits while they are queued", async () => {
    let polls = 0;
    service.answer(({ method, path }) => {
      if (method === "POST") return give(202, request("r1", "queued"));
      if (path.includes("/pins/r1")) {
        polls += 1;
        return give(200, request("r1", polls < 2 ? "pinning" : "pinned"));
      }
      return page([]);
    });
    expect(await driver.write(object, body)).toEqual({ locator: "r1", form: "dag", bytes: 10 });
    const posted = service.asked.find(({ method }) => method === "POST");
    expect(JSON.parse(posted?.body ?? "")).toEqual({
      cid: object.cid,
      name: object.cid,
      origins: ["/dns4/node.example/tcp/4001/p2p/12D3KooWExample"],
      meta: { owner: "ops", "thermocline-bytes": "10" },
    });
    // The default of the specification lists pinned requests only: all states are asked for.
    const asked = new URL(service.asked[0]?.path ?? "", "http://service").searchParams;
    expect(asked.get("status")).toBe("queued,pinning,pinned,failed");
    expect(asked.get("meta")).toBe('{"owner":"ops"}');
    expect(asked.get("cid")).toBe(object.cid);
  });

  it("a request that stays queued has its step come back, and is not made again", async () => {
    await impatient();
    const requests: Request[] = [];
    service.answer(({ method, path }) => {
      if (method === "POST") requests.push(request("r1", "queued"));
      if (method === "POST" || path.includes("/pins/r1")) return give(202, requests[0]);
      return page(requests);
    });
    for (const _ of [1, 2]) {
      await expect(driver.write(object, body)).rejects.toMatchObject({
        code: "TIMEOUT",
        retryable: false,
        details: { wait: "pin" },
        message: expect.stringContaining("request r1 of") as string,
      });
    }
    expect(requests).toHaveLength(1);
    expect(await driver.stat(object)).toBeUndefined();
  });

  it("a request that failed is an error with its details, and is replaced the next time", async () => {
    let requests: Request[] = [
      { ...request("r1", "failed"), info: { status_details: "no providers" } },
    ];
    service.answer(({ method, path }) => {
      if (method === "GET" && !path.includes("/pins/")) return page(requests);
      if (path.endsWith("/pins/r1")) requests = [{ ...request("r2", "pinned"), info: {} }];
      return give(202, requests[0]);
    });
    expect(await driver.verify(object, "listed")).toMatchObject({
      finding: "absent",
      method: expect.stringContaining("is failed (status_details: no providers)") as string,
    });
    expect(await driver.write(object, body)).toMatchObject({ locator: "r2" });
    const posts = service.asked.filter(({ method }) => method === "POST");
    expect(posts.map(({ path }) => path)).toEqual(["/api/v1/pins/r1"]);
  });

  it("a new request that fails is UNAVAILABLE, and one that somebody deletes CONFLICT", async () => {
    service.answer(({ method }) =>
      method === "POST" ? give(202, request("r1", "failed")) : page([]),
    );
    await expect(driver.write(object, body)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    service.answer(gone(1));
    await expect(driver.write(object, body)).rejects.toMatchObject({ code: "CONFLICT" });
  });

  it("a new request that the service has not heard of yet is waited for, and come back for", async () => {
    await impatient();
    service.answer(gone(0));
    const waiting = { code: "TIMEOUT", details: { wait: "pin" } };
    await expect(driver.write(object, body)).rejects.toMatchObject(waiting);
  });

  /** Waits for no request: what is queued comes back at once. */
  async function impatient(): Promise<void> {
    await driver.close();
    driver = await openDriver({ pinTimeout: "150ms", timeout: "20s" });
  }

  /** A request that is known for so many questions, and then not. */
  function gone(questions: number): Parameters<typeof service.answer>[0] {
    let asked = 0;
    return ({ method, path }) => {
      if (method === "POST") return give(202, request("r1", "queued"));
      if (!path.includes("/pins/r1")) return page([]);
      asked += 1;
      if (asked <= questions) return give(200, request("r1", "queued"));
      return { status: 404, body: JSON.stringify({ error: { reason: "NOT_FOUND" } }) };
    };
  }

  it("removes every request for the content that is ours, asking before each", async () => {
    let requests = [
      request("r1", "pinned"),
      request("r2", "queued"),
      { ...request("r3", "pinned"), pin: { cid: object.cid, meta: { owner: "dev" } } },
    ];
    service.answer(({ method, path }) => {
      // A service that heeds no filter: what is not ours is left out by us.
      if (method === "GET") return page(requests);
      requests = requests.filter(({ requestid }) => !path.endsWith(`/${requestid}`));
      return { status: 202, body: "" };
    });
    let asked = 0;
    const confirm = async (): Promise<void> => {
      asked += 1;
    };
    const leave = permit(object, "pins");
    expect(await driver.remove(object, leave, { confirm })).toBe("removed");
    expect(asked).toBe(2);
    expect(requests.map(({ requestid }) => requestid)).toEqual(["r3"]);
    expect(await driver.remove(object, leave)).toBe("absent");
  });

  it("a request that went meanwhile is harmless to a removal", async () => {
    const gone = { status: 404, body: JSON.stringify({ error: { reason: "NOT_FOUND" } }) };
    service.answer(({ method }) => (method === "GET" ? page([request("r1", "pinned")]) : gone));
    expect(await driver.remove(object, permit(object, "pins"))).toBe("absent");
  });

  for (const inclusive of [true, false]) {
    const words = inclusive ? "counts the moment itself in" : "counts only what was before";
    it(`lists page by page where \`before\` ${words}, each request once, the newest first`, async () => {
      const all = Array.from({ length: 23 }, (_, at) => {
        // Every third shares its moment with the next, and two are for the same content.
        const seconds = String(59 - Math.floor((at * 2) / 3)).padStart(2, "0");
        const one = request(`r${String(at).padStart(2, "0")}`, "pinned", at === 22 ? 0 : at);
        return { ...one, created: `2026-11-22T01:00:${seconds}.123456789Z` };
      });
      service.answer(({ path }) => pageOf(all, path, 5, inclusive));
      const listed = await Array.fromAsync(driver.list());
      // What is asked for twice is listed twice: the first of them is the copy, here as in `stat`.
      expect(listed.map(({ copy }) => copy.locator)).toEqual(all.map(({ requestid }) => requestid));
      expect(new Set(listed.map(({ cid }) => cid)).size).toBe(22);
      const rest = await Array.fromAsync(driver.list({ cursor: listed[7]?.cursor ?? "" }));
      expect(rest).toEqual(listed.slice(8));
    });
  }

  it("content that was asked for twice takes up its room once", async () => {
    const limited = await openDriver({ pinTimeout: "150ms", timeout: "20s" }, 1_000);
    const [first, second, other] = [request("a", "pinned", 1), request("b", "pinned", 1), "c"];
    service.answer(() => page([first, second, request(other, "pinned", 2)]));
    const { usedBytes } = await limited.status().finally(() => limited.close());
    expect(usedBytes).toBe(20);
  });

  it("pages in no order, or of one moment, are refused: what they leave out would look lost", async () => {
    const all = Array.from({ length: 12 }, (_, at) => request(`r${at}`, "pinned", at));
    const mixed = all.map((one, at) => ({
      ...one,
      created: `2026-11-22T01:00:0${(at * 7) % 10}Z`,
    }));
    for (const requests of [mixed, all]) {
      service.answer(({ path }) => pageOf(requests, path, 5, true, false));
      const listing = Array.fromAsync(driver.list());
      await expect(listing).rejects.toMatchObject({ code: "NOT_SUPPORTED" });
    }
  });

  function request(requestid: string, status: string, seed = 0): Request {
    const { cid } = seed === 0 ? object : sample(10, seed + 1).object;
    const meta = { owner: "ops", "thermocline-bytes": "10" };
    const created = "2026-11-22T01:00:00Z";
    return { requestid, status, created, pin: { cid, meta }, delegates: ["/ip4/192.0.2.1"] };
  }
});

function give(status: number, answer: unknown) {
  return { status, body: JSON.stringify(answer) };
}

function page(results: readonly Request[], count = results.length) {
  return give(200, { count, results });
}

/** A page of a service that keeps pages shorter than it was asked to. */
function pageOf(
  all: readonly Request[],
  path: AskedRequest["path"],
  limit: number,
  inclusive: boolean,
  sorted = true,
) {
  const before = new URL(path, "http://service").searchParams.get("before");
  const moment = before === null ? Number.POSITIVE_INFINITY : Date.parse(before);
  const fitting = all.filter(({ created }) => {
    const at = Date.parse(created);
    return inclusive ? at <= moment : at < moment;
  });
  const ordered = sorted
    ? fitting.toSorted((a, b) => Date.parse(b.created) - Date.parse(a.created))
    : fitting;
  return page(ordered.slice(0, limit), ordered.length);
}
