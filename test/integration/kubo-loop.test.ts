import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { type KuboNode, kuboMissing, startKubo } from "../services/kubo.ts";
import { emptyKubo } from "../drivers/kubo-place.ts";
import { Workspace } from "./workspace.ts";

const why = kuboMissing();
let workspace: Workspace | undefined;
let node: KuboNode | undefined;

afterEach(async () => {
  await workspace?.dispose();
  await node?.stop();
  [workspace, node] = [undefined, undefined];
});

const two = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: two}
rules:
  - name: on-disk-and-ipfs
    where: size > 0
    ensure: {copies: 2, on: backend = "hot" or driver = "kubo", confidence: verified}
`;

const demote = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: cool}
rules:
  - name: to-ipfs
    where: size > 0
    demote: {from: backend = "hot", to: driver = "kubo"}
`;

describe.skipIf(why !== undefined)(
  `the loop with an IPFS node${why ? ` (skipped: ${why})` : ""}`,
  () => {
    test("content is kept on disk and as pins, then given up on disk with proof", async () => {
      const { workspace, node } = await start(two);
      const content = await workspace.writeFiles(6, 40_000);
      await workspace.ok("import", "dir", content, "--backend", "hot");
      await workspace.ok("apply", "--yes", "--override", "objects");
      expect(await pins(node)).toHaveLength(6);
      await writeFile(join(workspace.path, "policies", "policy.thermocline.yaml"), demote);
      await workspace.ok("apply", "--yes", "--override", "objects");
      expect(await workspace.json("verify")).toMatchObject({ copies: 6, verified: 6 });
      const query = "SELECT count(*) AS n FROM ledger WHERE kind = 'proof'";
      const { rows } = await workspace.json<{ rows: { n: number }[] }>("index", "query", query);
      expect(Number(rows[0]?.n)).toBe(6);

      // Somebody gives up a pin of their own: its room is free when the order is given.
      const [pin = ""] = await pins(node);
      await node.ask(`pin/rm?arg=${pin}`);
      expect(await workspace.json("backends", "gc", "ipfs", "--dry-run")).toMatchObject({
        dryRun: true,
        blocks: 0,
      });
      const freed = await workspace.json<{ blocks: number; freedBytes: number }>(
        "backends",
        "gc",
        "ipfs",
        "--reason",
        "the disk is nearly full",
      );
      expect(freed.blocks).toBeGreaterThan(0);
      expect(freed.freedBytes).toBeGreaterThan(0);
      const ordered = await workspace.ok("audit", "ls", "--where", 'kind = "control"');
      expect(ordered).toMatch(/garbage collection of ipfs was ordered/);
      expect(ordered).toMatch(/garbage collection of ipfs freed [\d.]+ KiB/);
      expect(await workspace.ok("backends")).toMatch(/ipfs/);
      const refused = await workspace.run("backends", "gc", "hot");
      expect(refused.stderr).toMatch(/hot \(local\) has no garbage/);
    });

    test("doctor names the node, and the inventory takes what others pinned there for objects", async () => {
      const { workspace, node } = await start(two);
      const { stdout } = await workspace.run("doctor");
      expect(stdout).toMatch(/ipfs.*Kubo 0\.42\.0/);
      const body = new FormData();
      body.append("file", new Blob(["pinned by somebody else"]));
      await node.ask("add?cid-version=1&pin=true", { body });
      const inventory = await workspace.json("import", "inventory", "ipfs");
      expect(inventory).toMatchObject({ report: { listed: 1, unexpected: 1 } });
      expect(await workspace.json("verify")).toMatchObject({ copies: 1, verified: 1 });
    });
  },
);

async function start(policy: string): Promise<{ workspace: Workspace; node: KuboNode }> {
  node = await startKubo();
  // A new node pins the empty folder.
  await emptyKubo(node);
  workspace = await Workspace.create({ policies: { policy } });
  await workspace.addConfig(
    `  - {name: ipfs, driver: kubo, tier: warm, options: {rpc: "${node.rpc}"}}\n`,
  );
  return { workspace, node };
}

async function pins(at: KuboNode): Promise<readonly string[]> {
  const { Keys = {} } = JSON.parse(await at.ask("pin/ls?type=recursive")) as { Keys?: object };
  return Object.keys(Keys);
}
