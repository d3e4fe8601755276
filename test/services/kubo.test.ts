import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { connectKubo, type KuboNode, kuboMissing, startKubo } from "./kubo.ts";

const emptyFolder = "bafyaabakaieac";
const missing = kuboMissing();
if (missing !== undefined) console.error(`skipped: ${missing}`);

describe.skipIf(missing !== undefined)("the IPFS nodes of tests", () => {
  let nodes: readonly KuboNode[] = [];

  beforeAll(async () => {
    const secret = "bearer:letmein";
    const alice = { AuthSecret: secret, AllowedPaths: ["/api/v0"] };
    nodes = await Promise.all([
      startKubo(),
      startKubo({ authorizations: { alice }, authorization: "Bearer letmein" }),
    ]);
  });

  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
  });

  it("are of the version that drivers are tested against, and listen on loopback only", async () => {
    for (const node of nodes) {
      expect(JSON.parse(await node.ask("version"))).toMatchObject({ Version: "0.42.0" });
      const { Addresses } = JSON.parse(await node.ask("id")) as { Addresses: string[] };
      expect(Addresses.length).toBeGreaterThan(0);
      for (const address of Addresses) expect(address).toMatch(/^\/ip4\/127\.0\.0\.1\//);
    }
  });

  it("know no peer before they are told of each other, and pass blocks afterwards", async () => {
    const [one, other] = nodes;
    if (one === undefined || other === undefined) throw new Error("two nodes were started");
    expect(JSON.parse(await one.ask("swarm/peers"))).toEqual({ Peers: null });
    const body = new FormData();
    body.append("file", new Blob(["some bytes"]));
    const added = await other.ask("add?cid-version=1&raw-leaves=true", { body });
    const { Hash: cid } = JSON.parse(added) as { readonly Hash: string };
    await connectKubo(one, other);
    expect(await one.ask(`cat?arg=${cid}&timeout=20s`)).toBe("some bytes");
  });

  it("are not started again where they still run", async () => {
    const node = await startKubo();
    const { pid } = node;
    try {
      await node.startAgain();
      expect(node.pid).toBe(pid);
    } finally {
      await node.stop();
    }
    expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  });

  it("are where they were when they are started again", async () => {
    const node = await startKubo();
    try {
      const gateway = await readFile(join(node.repo, "gateway"), "utf8");
      await node.kill();
      await node.startAgain();
      await vi.waitFor(async () => {
        expect((await fetch(`${gateway}/ipfs/${emptyFolder}`)).status).toBe(200);
      }, 60_000);
      expect(JSON.parse(await node.ask("version"))).toMatchObject({ Version: "0.42.0" });
    } finally {
      await node.stop();
    }
  });

  it("refuse whoever has not the secret that they were started with", async () => {
    const answer = await fetch(`${nodes[1]?.rpc}/api/v0/id`, { method: "POST" });
    expect(answer.status).toBe(403);
  });
});
