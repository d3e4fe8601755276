import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { base32upper } from "multiformats/bases/base32";
import { parseCid } from "#content/cid.ts";
import type { KuboNode } from "../services/kubo.ts";
import type { TwoPeerCluster } from "../services/ipfs-cluster.ts";

/** Options that reach a cluster and its nodes; what is given replaces them. */
export function clusterOptionsFor(
  cluster: TwoPeerCluster,
  changed: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  return {
    url: cluster.peers[0].api,
    username: cluster.username,
    password: "env:PASSWORD",
    replicationMin: 2,
    replicationMax: 2,
    rpc: cluster.peers.map(({ node }) => node.rpc),
    pinTimeout: "20s",
    timeout: "30s",
    ...changed,
  };
}

/** Files of blocks that a test damaged, as they were. */
const whole = new Map<string, Buffer>();

/**
 * Takes every pin out of a cluster and its nodes, mends what was damaged, and waits until both
 * peers take pins. No garbage is collected: a node waits with that for uploads that a test cut off.
 */
export async function emptyPinset(cluster: TwoPeerCluster): Promise<void> {
  await cluster.untilTogether();
  const lines = (await cluster.ask("GET", "/allocations")).split("\n").filter(Boolean);
  for (const line of lines) {
    const { cid } = JSON.parse(line) as { readonly cid: string };
    await cluster.ask("DELETE", `/pins/${cid}`);
    for (const { node } of cluster.peers) {
      await node.ask(`pin/rm?arg=${cid}`).catch(() => undefined);
    }
  }
  for (const [file, bytes] of whole) await writeFile(file, bytes);
  whole.clear();
}

/** Changes a byte in a block of a pin on every node: the last block of it that has bytes. */
export async function damageBlocks(cluster: TwoPeerCluster, cid: string): Promise<void> {
  for (const { node } of cluster.peers) {
    const refs = await node.ask(`refs?arg=${cid}&recursive=true&unique=true`);
    const below = refs
      .split("\n")
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as { readonly Ref: string }).Ref);
    await damageBlock(node, below.at(-1) ?? cid);
  }
}

/** Where the node of a test keeps its blocks: by the hash, in folders by its last but one letters. */
async function damageBlock({ repo }: KuboNode, cid: string): Promise<void> {
  const key = base32upper.encode(parseCid(cid).multihash.bytes).slice(1);
  const file = join(repo, "blocks", key.slice(-3, -1), `${key}.data`);
  const bytes = await readFile(file);
  whole.set(file, bytes);
  const middle = Math.floor(bytes.length / 2);
  // An empty block has no byte to change: it gets one.
  const changed = bytes.length === 0 ? Buffer.from("x") : Buffer.from(bytes);
  if (bytes.length > 0) changed[middle] = (changed[middle] ?? 0) ^ 1;
  await writeFile(file, changed);
}
