import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ByteStream, Driver } from "#model/driver.ts";
import { HttpService } from "#drivers/contract/http-service.ts";
import { PinningClient } from "#drivers/pinning-service/pinning-client.ts";
import pinningService from "#drivers/pinning-service/pinning-service.ts";
import { kitBackend } from "../conformance/driver-kit/kit-test.ts";
import type { SubjectStorage } from "../conformance/driver-subject.ts";
import { testDriver } from "../conformance/driver-kit.ts";
import { bodyFor, fileFrom, permit, sample } from "../conformance/sample-object.ts";
import { clusterMissing, startCluster, type TwoPeerCluster } from "../services/ipfs-cluster.ts";
import { type KuboNode, startKubo } from "../services/kubo.ts";
import { emptyPinset } from "./cluster-place.ts";

// The service is the Pinning Service API of a real IPFS Cluster; a third IPFS node, which knows
// none of those of the cluster, is the one that it fetches from.
const missing = clusterMissing();
let cluster: TwoPeerCluster;
let source: KuboNode;

beforeAll(async () => {
  if (missing !== undefined) return;
  [cluster, source] = await Promise.all([startCluster(), startKubo()]);
});

afterAll(async () => {
  if (missing === undefined) await Promise.all([cluster.stop(), source.stop()]);
});

const plain = pinningService.options.parse({ url: "http://localhost", token: "env:TOKEN" });

testDriver({
  name: "pinning-service of IPFS Cluster v1.1.6",
  definition: { ...pinningService, capabilities: pinningService.capabilitiesOf(plain) },
  server: async () => {
    const { version } = JSON.parse(await cluster.ask("GET", "/version")) as { version: string };
    return `Pinning Service API of IPFS Cluster ${version}`;
  },
  missing,
  skip: [
    "stores and reads back an empty file",
    "stores an empty file whose size was not announced",
    "stores a file of 0 bytes as dag, and finds a changed byte in it",
    "stores 0 bytes that come in one piece",
  ].map((test) => ({ test, reason: "IPFS nodes do not hand an empty block to each other" })),
  bytesMin: 1,
  largeBytes: 5 * 1024 * 1024 + 3,
  storage: async (): Promise<SubjectStorage> => {
    await emptyPinset(cluster);
    return {
      open: (options) => openService(kitBackend, {}, options?.capacityBytes),
      corrupt: () => Promise.reject(new Error("nothing that is declared would see it")),
      leftovers: lent,
      remove: async () => {
        await emptyPinset(cluster);
        await source.ask("files/rm?arg=/thermocline-lent&recursive=true&force=true");
      },
    };
  },
});

function openService(
  backend: string,
  changed: Readonly<Record<string, unknown>> = {},
  capacityBytes?: number,
  secret = `${cluster.username}:${cluster.password}`,
): Promise<Driver> {
  return pinningService.open({
    backend,
    options: pinningService.options.parse({
      url: cluster.peers[0].pinning,
      token: "env:TOKEN",
      scheme: "Basic",
      node: source.rpc,
      timeout: "20s",
      pinTimeout: "20s",
      ...changed,
    }),
    capacityBytes,
    secret: () => Promise.resolve(secret),
  });
}

/** What the source node still keeps for the service. */
async function lent(): Promise<readonly string[]> {
  const listed = await source.ask("files/ls?arg=/thermocline-lent").catch(() => "{}");
  const { Entries } = JSON.parse(listed) as { readonly Entries?: readonly { Name: string }[] };
  return (Entries ?? []).map(({ Name }) => Name);
}

if (missing !== undefined) console.error(`skipped: pinning-service: ${missing}`);

describe.skipIf(missing !== undefined)("pinning-service against IPFS Cluster v1.1.6", () => {
  const opened: Driver[] = [];

  beforeEach(async () => {
    await emptyPinset(cluster);
  });
  afterEach(async () => {
    for (const driver of opened.splice(0)) await driver.close();
  });

  async function open(
    changed: Readonly<Record<string, unknown>> = {},
    secret?: string,
  ): Promise<Driver> {
    const driver = await openService("pins", changed, undefined, secret);
    opened.push(driver);
    return driver;
  }

  const unread: ByteStream = {
    [Symbol.asyncIterator]: () => ({
      next: () => Promise.reject(new Error("nothing may be read")),
    }),
  };

  it("lends the service what the node lacks, and takes it back when it is pinned", async () => {
    const driver = await open({ name: "ours", meta: { owner: "ops" } });
    const stored = sample(1024 * 1024 + 9, 41);
    const { cid } = stored.object;
    const copy = await driver.write(stored.object, bodyFor(driver, stored));
    expect(copy.locator).toBe(cid);
    expect(await lent()).toEqual([]);
    expect(await source.ask("pin/ls?type=recursive")).not.toContain(cid);
    expect(JSON.parse(await cluster.ask("GET", `/allocations/${cid}`))).toMatchObject({
      name: "ours",
      metadata: { owner: "ops", "thermocline-bytes": String(copy.bytes) },
    });
    expect(await driver.verify(stored.object, "listed")).toMatchObject({
      finding: "present",
      method: expect.stringMatching(/the service says: request \w+ of .* is pinned/) as string,
    });
  });

  it("has the service fetch from a node that pins the content, without a byte of it", async () => {
    const driver = await open();
    const stored = sample(3_000, 42);
    const form = new FormData();
    form.append("file", new Blob([stored.bytes]));
    const added = await source.ask("add?cid-version=1&pin=true", { body: form });
    expect(added).toContain(stored.object.cid);
    const body = { form: "dag", bytes: undefined, stream: unread } as const;
    await driver.write(stored.object, body);
    expect(await driver.verify(stored.object, "listed")).toMatchObject({ finding: "present" });
    expect(await source.ask("pin/ls?type=recursive")).toContain(stored.object.cid);
  });

  it("comes back for what the service cannot find yet, and asks only once", async () => {
    const stored = sample(2_000, 43);
    const without = await open({ node: undefined, pinTimeout: "100ms" });
    const body = { form: "dag", bytes: undefined, stream: unread } as const;
    const waiting = { code: "TIMEOUT", retryable: false, details: { wait: "pin" } };
    const elsewhere = without.write(stored.object, body);
    await expect(elsewhere).rejects.toMatchObject(waiting);
    expect(await without.stat(stored.object)).toBeUndefined();
    expect(await without.verify(stored.object, "listed")).toMatchObject({ finding: "absent" });
    // Somebody brings it to one of the nodes: the request that is there is met.
    const form = new FormData();
    form.append("file", new Blob([stored.bytes]));
    await cluster.peers[1].node.ask("add?cid-version=1&pin=false", { body: form });
    const later = await open({ node: undefined });
    await later.write(stored.object, body);
    expect(await later.stat(stored.object)).toBeDefined();
  });

  it("reads and verifies through a gateway of the service", async () => {
    const gateway = await readFile(join(cluster.peers[0].node.repo, "gateway"), "utf8");
    // A node's gateway has no users: it takes what hosted ones want, and heeds it not.
    const driver = await open({ gateway, gatewayAuthorization: "env:GATEWAY" });
    expect(driver.capabilities).toEqual(pinningService.capabilities);
    const stored = sample(1024 * 1024 + 5, 44);
    const copy = await driver.write(stored.object, bodyFor(driver, stored));
    expect((await fileFrom(driver, stored, copy)).equals(stored.bytes)).toBe(true);
    const evidence = await driver.verify(stored.object, "verified");
    expect(evidence).toMatchObject({ finding: "present", confidence: "verified" });
    expect(evidence.bytesRead).toBeGreaterThan(stored.bytes.length);
  });

  it("finds requests by each filter of the specification", async () => {
    const ours = await open({ name: "Report 2026", meta: { owner: "ops" } });
    const others = await open({ name: "other", meta: { owner: "dev" } });
    const [one, two] = [sample(500, 45), sample(500, 46)];
    await ours.write(one.object, bodyFor(ours, one));
    // The cluster tells times in seconds.
    await sleep(1_100);
    await others.write(two.object, bodyFor(others, two));
    const words = Buffer.from(`${cluster.username}:${cluster.password}`).toString("base64");
    const service = new HttpService({
      url: cluster.peers[0].pinning,
      authorization: () => Promise.resolve(`Basic ${words}`),
      idleTimeoutMs: 10_000,
    });
    const client = new PinningClient("pins", service);
    const found = async (filter: Parameters<PinningClient["page"]>[0]) =>
      (await client.page(filter, {})).results.map(({ pin }) => pin.cid);
    const [first, second] = [one.object.cid, two.object.cid];
    const created = (await client.page({ cids: [second] }, {})).results[0]?.created ?? "";
    expect(await found({ cids: [first] })).toEqual([first]);
    expect(await found({ name: "Report 2026", match: "exact" })).toEqual([first]);
    expect(await found({ name: "report 2026", match: "exact" })).toEqual([]);
    expect(await found({ name: "report 2026", match: "iexact" })).toEqual([first]);
    expect(await found({ name: "port", match: "partial" })).toEqual([first]);
    expect(await found({ name: "PORT", match: "ipartial" })).toEqual([first]);
    expect(await found({ meta: { owner: "dev" } })).toEqual([second]);
    expect(await found({ states: ["failed"] })).toEqual([]);
    expect((await found({ states: ["pinned"] })).toSorted()).toEqual([first, second].toSorted());
    expect(await found({ after: created })).toEqual([second]);
    const earlier = new Date(Date.parse(created) - 500).toISOString();
    expect(await found({ before: earlier })).toEqual([first]);
    service.close();
    // Each backend sees its own: the account may be others' too.
    const listed = (await Array.fromAsync(ours.list())).map(({ cid }) => cid);
    expect(listed).toEqual([first]);
    expect(await ours.stat(two.object)).toBeUndefined();
    expect(await ours.remove(two.object, permit(two.object, "pins"))).toBe("absent");
    expect(await others.stat(two.object)).toBeDefined();
  });

  it("replaces what the service could not find, in a request of its own", async () => {
    const [unfound, stored] = [sample(400, 47), sample(400, 48)];
    const driver = await open();
    await driver.write(stored.object, bodyFor(driver, stored));
    const words = Buffer.from(`${cluster.username}:${cluster.password}`).toString("base64");
    const service = new HttpService({
      url: cluster.peers[0].pinning,
      authorization: () => Promise.resolve(`Basic ${words}`),
      idleTimeoutMs: 10_000,
    });
    const client = new PinningClient("pins", service);
    const pin = { name: "nowhere", origins: [], meta: {} };
    const request = await client.add({ ...pin, cid: unfound.object.cid }, {});
    const replaced = await client.replace(
      request.requestid,
      { ...pin, cid: stored.object.cid, name: "here" },
      {},
    );
    expect(replaced.requestid).not.toBe(request.requestid);
    expect(await client.get(request.requestid, {})).toBeUndefined();
    // The cluster lists a pin a moment after it took the request.
    const named = async () => {
      const { results } = await client.page({ name: "here" }, {});
      return results.map(({ pin: { cid } }) => cid);
    };
    await expect.poll(named, { timeout: 120_000 }).toEqual([stored.object.cid]);
    service.close();
    expect(await driver.stat(stored.object)).toMatchObject({ locator: replaced.requestid });
  });

  it("refuses what has no bytes, which no node would ever get from another", async () => {
    const driver = await open();
    const empty = sample(0);
    const writing = driver.write(empty.object, bodyFor(driver, empty));
    await expect(writing).rejects.toMatchObject({ code: "NOT_SUPPORTED" });
    expect(await cluster.ask("GET", "/allocations")).toBe("");
  });

  it("calls wrong credentials UNAUTHENTICATED in every operation, and never shows them", async () => {
    const driver = await open({}, "tester:not-the-secret");
    const stored = sample(10);
    for (const attempt of [
      () => driver.status(),
      () => driver.stat(stored.object),
      () => driver.verify(stored.object, "listed"),
      () => driver.write(stored.object, bodyFor(driver, stored)),
      () => driver.remove(stored.object, permit(stored.object, "pins")),
      () => Array.fromAsync(driver.list()),
    ]) {
      const error: unknown = await attempt().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "UNAUTHENTICATED", retryable: false });
      expect(String(error)).not.toContain("not-the-secret");
    }
  });

  it("calls a node that is away UNAVAILABLE, before anything is asked of the service", async () => {
    const driver = await open({ node: "http://127.0.0.1:1" });
    const stored = sample(10, 47);
    const writing = driver.write(stored.object, bodyFor(driver, stored));
    await expect(writing).rejects.toMatchObject({ code: "UNAVAILABLE", retryable: true });
    expect(await cluster.ask("GET", "/allocations")).toBe("");
  });
});
