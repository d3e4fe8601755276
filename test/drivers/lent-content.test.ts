import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ObjectRef } from "#model/copy.ts";
import type { Driver, WriteBody } from "#model/driver.ts";
import pinningService from "#drivers/pinning-service/pinning-service.ts";
import { permit } from "../conformance/sample-object.ts";
import { smallContents, type TripContent } from "../round-trips/trip-content.ts";
import { type KuboNode, kuboMissing, startKubo } from "../services/kubo.ts";
import { playAnswers, type PlayedService } from "../services/played-service.ts";
import { emptyKubo, openKubo } from "./kubo-place.ts";

const missing = kuboMissing();
if (missing !== undefined) console.error(`skipped: ${missing}`);

const contents = smallContents().filter(({ name }) => /dag-cbor|directory/.test(name));

// The node is a real one; the services are played, so that they pin when they are told to.
describe.skipIf(missing !== undefined)("one node that lends to services and holds copies", () => {
  let node: KuboNode;
  let copies: Driver;
  let services: readonly [Service, Service];

  beforeAll(async () => {
    node = await startKubo();
    // A new node pins a folder without files.
    await emptyKubo(node);
  });
  beforeEach(async () => {
    copies = await openKubo(node);
    services = [await Service.open(node), await Service.open(node)];
  });
  afterEach(async () => {
    await copies.close();
    for (const service of services) await service[Symbol.asyncDispose]();
    await emptyKubo(node);
    await node.ask("files/rm?arg=/thermocline-lent&recursive=true&force=true");
    await node.ask("repo/gc");
  });
  afterAll(() => node.stop());

  const isOnNode = async ({ cid }: ObjectRef): Promise<boolean> => {
    await node.ask("repo/gc");
    const walked = node.ask(`dag/stat?arg=${cid}&progress=false&offline=true`);
    return await walked.then(
      () => true,
      () => false,
    );
  };

  it.each(contents)("$name that is lent is no copy, and no copy ends with it", async (content) => {
    const { object } = content;
    const [one, other] = services;
    const waiting = { code: "TIMEOUT", details: { wait: "pin" } };
    await expect(one.write(content)).rejects.toMatchObject(waiting);
    await expect(other.write(content)).rejects.toMatchObject(waiting);
    expect(await isOnNode(object)).toBe(true);
    expect(await copies.stat(object)).toBeUndefined();
    expect(await copies.verify(object, "sampled")).toMatchObject({ finding: "absent" });
    expect(await Array.fromAsync(copies.list())).toEqual([]);

    let read = 0;
    const copy = await copies.write(
      object,
      bodyOf(content, () => (read += 1)),
    );
    expect(read).toBeGreaterThan(0);
    await one.pin(content);
    expect(await isOnNode(object)).toBe(true);
    expect(await copies.stat(object)).toEqual(copy);
    expect(await copies.verify(object, "verified")).toMatchObject({ finding: "present" });
    const [listed, ...more] = await Array.fromAsync(copies.list());
    expect(listed).toMatchObject({ cid: object.cid, copy });
    expect(listed).not.toHaveProperty("name");
    expect(more).toEqual([]);

    // The other service has not fetched it yet.
    expect(await copies.remove(object, permit(object, "node"))).toBe("removed");
    expect(await isOnNode(object)).toBe(true);
    await other.pin(content);
    expect(await isOnNode(object)).toBe(false);
    expect(await node.ask("pin/ls?type=recursive")).not.toContain("Type");
  });

  it.each(contents)(
    "$name that somebody pins meanwhile keeps its pin and name",
    async (content) => {
      const { object } = content;
      const [service] = services;
      let pinned = false;
      const pinIt = async (): Promise<void> => {
        if (pinned) return;
        pinned = true;
        await copies.write(object, bodyOf(content));
        await node.ask(`pin/add?arg=${object.cid}&name=theirs`);
      };
      await expect(service.write(content, pinIt)).rejects.toMatchObject({ code: "TIMEOUT" });
      expect(pinned).toBe(true);
      await service.pin(content);
      expect(await isOnNode(object)).toBe(true);
      expect(await Array.fromAsync(copies.list())).toMatchObject([
        { cid: object.cid, name: "theirs" },
      ]);
    },
  );

  it("what the node no longer has is lent again for a request that is under way", async () => {
    const [content] = contents as [TripContent];
    const [service] = services;
    await expect(service.write(content)).rejects.toMatchObject({ code: "TIMEOUT" });
    await emptyKubo(node);
    await node.ask("files/rm?arg=/thermocline-lent&recursive=true&force=true");
    expect(await isOnNode(content.object)).toBe(false);
    await expect(service.write(content)).rejects.toMatchObject({ code: "TIMEOUT" });
    expect(await isOnNode(content.object)).toBe(true);
    let read = 0;
    const again = service.write(content, () => void (read += 1));
    await expect(again).rejects.toMatchObject({ code: "TIMEOUT" });
    expect(read).toBe(0);
    expect(service.requests).toBe(1);
  });
});

/** A service that has one request, and pins when it is told to. */
class Service implements AsyncDisposable {
  readonly #played: PlayedService;
  readonly #driver: Driver;
  #status = "queued";
  #cid: string | undefined;
  requests = 0;

  constructor(played: PlayedService, driver: Driver) {
    this.#played = played;
    this.#driver = driver;
    played.answer(({ method, path, body }) => {
      if (method === "POST") {
        this.#cid = (JSON.parse(body) as { readonly cid: string }).cid;
        this.requests += 1;
      }
      const one = this.#request();
      if (method === "POST" || path.includes("/pins/")) return answer(one);
      return answer({ count: one === undefined ? 0 : 1, results: one === undefined ? [] : [one] });
    });
  }

  static async open(node: KuboNode): Promise<Service> {
    const played = await playAnswers();
    const driver = await pinningService.open({
      backend: "pins",
      options: pinningService.options.parse({
        url: played.url,
        token: "env:TOKEN",
        node: node.rpc,
        pinTimeout: "60ms",
      }),
      capacityBytes: undefined,
      secret: () => Promise.resolve("the-token"),
    });
    return new Service(played, driver);
  }

  /** Asks for the pin; `during` is called when the content is read. */
  async write(content: TripContent, during?: () => unknown): Promise<void> {
    await this.#driver.write(content.object, bodyOf(content, during));
  }

  /** The service has fetched it, and the step that waited comes back. */
  async pin(content: TripContent): Promise<void> {
    this.#status = "pinned";
    await this.write(content);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#driver.close();
    await this.#played.stop();
  }

  #request(): object | undefined {
    if (this.#cid === undefined) return undefined;
    const created = "2026-11-22T12:00:00Z";
    return {
      requestid: "r1",
      status: this.#status,
      created,
      pin: { cid: this.#cid },
      delegates: [],
    };
  }
}

function answer(value: unknown): { readonly status: number; readonly body: string } {
  return { status: 200, body: JSON.stringify(value) };
}

function bodyOf(content: TripContent, during?: () => unknown): WriteBody {
  const stream = (async function* () {
    await during?.();
    yield* content.body().stream;
  })();
  return { form: "dag", bytes: undefined, stream };
}
