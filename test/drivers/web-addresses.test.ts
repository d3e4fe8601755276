import { afterEach, beforeEach, describe, expect, it } from "vitest";
import ipfsCluster from "#drivers/ipfs-cluster/ipfs-cluster.ts";
import kubo from "#drivers/kubo/kubo.ts";
import pinningService from "#drivers/pinning-service/pinning-service.ts";
import s3 from "#drivers/s3/s3.ts";
import { playAnswers, type PlayedService } from "../services/played-service.ts";

const pins = { url: "https://pins.example", token: "env:TOKEN" };
const cluster = { url: "http://cluster.example:9094" };

/** Each option with an address, and the option that takes the secret. */
const places = [
  [kubo, "rpc", {}, "`authorization`"],
  [ipfsCluster, "url", {}, "`username` and `password`, or `token`"],
  [ipfsCluster, "rpc", cluster, "`rpcAuthorization`"],
  [ipfsCluster, "gateway", cluster, "`gatewayAuthorization`"],
  [pinningService, "url", { token: "env:TOKEN" }, "`token`"],
  [pinningService, "node", pins, "`nodeAuthorization`"],
  [pinningService, "gateway", pins, "`gatewayAuthorization`"],
  [s3, "endpoint", { bucket: "lake" }, "`accessKeyId` and `secretAccessKey`"],
] as const;

describe.each(places)("the address in an option of a driver", (driver, key, others, secretsIn) => {
  const parse = (address: string) => {
    const isList = driver === ipfsCluster && key === "rpc";
    return driver.options.safeParse({ ...others, [key]: isList ? [address] : address });
  };
  const place = `${driver.name}: ${key}`;

  it.each([
    ["http://user:hunter2@host:80/path", "has a user"],
    ["https://hunter2@host", "has a user"],
    ["https://host/?token=hunter2", "has a query"],
    ["https://host/api/v0?hunter2", "has a query"],
    ["https://host/#hunter2", "has a fragment"],
    ["http://host:80?", "has a query"],
    ["http://host/#", "has a fragment"],
    ["ftp://user:hunter2@host", "an address is http://HOST:PORT or https://HOST:PORT/PATH"],
    ["user:hunter2@host", "an address is http://HOST:PORT or https://HOST:PORT/PATH"],
  ])(`${place} is refused without being repeated: %s`, (address, words) => {
    const { issues = [] } = parse(address).error ?? {};
    expect(issues).toHaveLength(1);
    const [issue] = issues;
    expect(issue?.message).toContain(words);
    const { code, hint } = (issue as { readonly params?: Record<string, unknown> }).params ?? {};
    expect(code).toBe("E0110");
    expect(hint).toContain(`a secret goes into ${secretsIn}`);
    expect(JSON.stringify(issues)).not.toContain("hunter2");
  });

  it(`${place} is nothing else than http or https`, () => {
    for (const address of ["host:5001", "/ip4/127.0.0.1/tcp/5001", "", "ftp://host", "http://"]) {
      const { issues = [] } = parse(address).error ?? {};
      expect(issues.map(({ message }) => message)).toEqual([
        "an address is http://HOST:PORT or https://HOST:PORT/PATH",
      ]);
      expect(JSON.stringify(issues)).not.toContain("E0110");
    }
  });

  it.each(["http://127.0.0.1:5001", "HTTPS://host/a/b@c/", "http://[::1]:80/api/v0"])(
    `${place} is taken: %s`,
    (address) => {
      const parsed = parse(` ${address} `);
      expect(parsed.error?.issues ?? []).toEqual([]);
      expect(JSON.stringify(parsed.data)).toContain(JSON.stringify(address));
    },
  );
});

// contract-fixtures: the answers of hosted gateways and of proxies are played.
describe("the secret of a gateway", () => {
  let service: PlayedService;
  beforeEach(async () => {
    service = await playAnswers();
  });
  afterEach(() => service.stop());

  /** What is in the way of a backend that reads through the played gateway. */
  async function troublesWith(secret: string): Promise<string> {
    const options = { ...pins, gateway: service.url, gatewayAuthorization: "env:GATEWAY" };
    const driver = await pinningService.open({
      backend: "pins",
      options: pinningService.options.parse(options),
      capacityBytes: undefined,
      secret: (reference) => Promise.resolve(reference === "env:GATEWAY" ? secret : "the-token"),
    });
    const troubles = await driver.troubles?.();
    await driver.close();
    return JSON.stringify(troubles);
  }

  it.each([
    ["?pinataGatewayToken=a+b/c==", "", "&pinataGatewayToken=a+b%2Fc%3D%3D"],
    ["?key=hunter 2&x=é\n", "", "&key=hunter+2&x=%C3%A9"],
    ["bearer:hunter2", "Bearer hunter2", ""],
    ["Basic:user:p", `Basic ${Buffer.from("user:p").toString("base64")}`, ""],
    ["Bearer hunter2", "Bearer hunter2", ""],
    ["hunter2", "Bearer hunter2", ""],
  ])("%j goes out with each request", async (secret, authorization, query) => {
    service.answer(() => ({
      status: 200,
      headers: { "Content-Type": "application/vnd.ipld.car" },
    }));
    expect(await troublesWith(secret)).toBe("[]");
    const path = `/ipfs/bafkqaaa?format=car${query}`;
    expect(service.asked).toMatchObject([{ authorization, path }]);
  });

  it.each(["?token=hunter2/é", "bearer:hunter2/é"])(
    "%s is not told where the gateway repeats it, and a refusal names the option",
    async (secret) => {
      for (const status of [401, 403, 500]) {
        service.answer(({ path }) => ({ status, body: `no to ${path}, key hunter2/é: rule 7` }));
        const told = await troublesWith(secret);
        expect(told).toContain(`asking the gateway ${service.url} for a CAR`);
        expect(told).toMatch(/no to .*, key \*\*\*: rule 7/);
        expect(told).not.toContain("hunter2");
        expect(told.includes("`gatewayAuthorization` of this backend")).toBe(status < 500);
      }
    },
  );

  it.each(["?k=hunter&token=hunter2+y/~==", "basic:user:hunter2"])(
    "%s is not told in any of the forms that it has on its way",
    async (secret) => {
      const body = ({
        path,
        authorization,
      }: {
        path: string;
        authorization?: string | undefined;
      }) => `no to ${path} by ${authorization}, that is ${secret}`;
      service.answer((request) => ({ status: 500, body: body(request) }));
      const told = await troublesWith(secret);
      expect(told).toContain("no to /ipfs/bafkqaaa?format=car");
      const [asked] = service.asked;
      const token = new URLSearchParams(asked?.path).get("token") ?? "hunter2";
      const header = asked?.authorization?.split(" ")[1] ?? token;
      for (const one of ["hunter", token, header, "%3D", "~"]) expect(told).not.toContain(one);
    },
  );

  it("is sent by a cluster, too, and by nobody who has none", async () => {
    service.answer(({ path }) => {
      if (path === "/peers") return { status: 200, body: "" };
      return { status: 200, headers: { "Content-Type": "application/vnd.ipld.car" } };
    });
    for (const more of [{ gatewayAuthorization: "env:GATEWAY" }, {}]) {
      const options = { url: service.url, gateway: service.url, ...more };
      const driver = await ipfsCluster.open({
        backend: "cluster",
        options: ipfsCluster.options.parse(options),
        capacityBytes: undefined,
        secret: () => Promise.resolve("?token=hunter2"),
      });
      await driver.troubles?.();
      await driver.close();
    }
    const paths = service.asked.map(({ path }) => path).filter((path) => path !== "/peers");
    expect(paths).toEqual(["/ipfs/bafkqaaa?format=car&token=hunter2", "/ipfs/bafkqaaa?format=car"]);
  });

  it("what a proxy before a kubo node says to a refused call is told", async () => {
    service.answer(() => ({ status: 403, body: "<h1>Forbidden</h1>\n<p>by rule 7</p>" }));
    const driver = await kubo.open({
      backend: "node",
      options: kubo.options.parse({ rpc: service.url, authorization: "env:NODE" }),
      capacityBytes: undefined,
      secret: () => Promise.resolve("bearer:hunter2"),
    });
    const asked = driver.status();
    await expect(asked).rejects.toMatchObject({
      code: "UNAUTHENTICATED",
      message: expect.stringContaining(
        "does not accept the credentials (403: Forbidden by rule 7)",
      ) as string,
    });
    await driver.close();
  });
});
