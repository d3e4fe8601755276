import { appendFile, open as openFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { base32 } from "multiformats/bases/base32";
import { parseCid } from "#content/cid.ts";
import type { Driver } from "#model/driver.ts";
import kubo from "#drivers/kubo/kubo.ts";
import type { KuboNode } from "../services/kubo.ts";

/** Opens the driver on a node. */
export function openKubo(
  { rpc }: Pick<KuboNode, "rpc">,
  options: {
    readonly backend?: string;
    readonly capacityBytes?: number | undefined;
    readonly secret?: string;
    readonly swarm?: string;
    readonly timeout?: string;
  } = {},
): Promise<Driver> {
  const { backend = "node", capacityBytes, secret, swarm, timeout } = options;
  const patience = timeout === undefined ? {} : { timeout };
  const group = swarm === undefined ? {} : { swarm };
  const authorization = secret === undefined ? {} : { authorization: "env:SECRET" };
  return kubo.open({
    backend,
    options: kubo.options.parse({ rpc, ...authorization, ...group, ...patience }),
    capacityBytes,
    secret: () => Promise.resolve(secret ?? ""),
  });
}

/** Changes a byte of a block in a node's repository, or adds one to a block that has none. */
export async function damageBlock(node: KuboNode, cid: string): Promise<void> {
  const path = blockFile(node, cid);
  const file = await openFile(path, "r+");
  const { size } = await file.stat();
  if (size === 0) await appendFile(path, "x");
  else {
    const position = Math.floor(size / 2);
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, position);
    byte[0] = (byte[0] ?? 0) ^ 1;
    await file.write(byte, 0, 1, position);
  }
  await file.close();
}

/** Where a node keeps a block. */
export function blockFile({ repo }: KuboNode, cid: string): string {
  const name = base32.baseEncode(parseCid(cid).multihash.bytes).toUpperCase();
  return join(repo, "blocks", name.slice(-3, -1), `${name}.data`);
}

/** Unpins everything and collects what nobody needs: the node is as it was at first. */
export async function emptyKubo(node: KuboNode): Promise<void> {
  for (const cid of await pinsOf(node)) await node.ask(`pin/rm?arg=${cid}`);
  await node.ask("repo/gc?quiet=true");
}

/** The roots that a node pins with all below them. */
export async function pinsOf(node: KuboNode): Promise<readonly string[]> {
  const listed = JSON.parse(await node.ask("pin/ls?type=recursive")) as PinList;
  return Object.keys(listed.Keys ?? {});
}

/** Files of blocks in a node's repository. */
export async function blockFiles({ repo }: KuboNode): Promise<readonly string[]> {
  const entries = await readdir(join(repo, "blocks"), { recursive: true });
  return entries.filter((name) => name.endsWith(".data"));
}

interface PinList {
  readonly Keys?: Readonly<Record<string, unknown>>;
}
