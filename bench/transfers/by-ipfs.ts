import { spawn } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import type { KuboNode } from "../../test/services/kubo.ts";
import { kubo } from "../../scripts/services/kubo.ts";

/** How Kubo's command line has to add a file so that it gets the CID that we give it. */
export const addOptions = [
  "--quieter",
  "--cid-version=1",
  "--raw-leaves",
  "--chunker=size-1048576",
  "--max-file-links=1024",
];

/** Runs Kubo's command line against a running node; what it prints. */
export async function ipfs(node: KuboNode, ...args: readonly string[]): Promise<string> {
  const child = start(node, args, "pipe");
  const [printed, [code]] = await Promise.all([text(child.stdout!), once(child, "exit")]);
  if (code !== 0) throw new Error(`ipfs ${args[0]} ended with ${code}`);
  return printed.trim();
}

/** The same, where what it prints goes to a file. */
export async function ipfsToFile(
  node: KuboNode,
  path: string,
  ...args: readonly string[]
): Promise<void> {
  const file = await open(path, "w");
  try {
    const [code] = (await once(start(node, args, file.fd), "exit")) as [number | null];
    if (code !== 0) throw new Error(`ipfs ${args[0]} ended with ${code}`);
  } finally {
    await file.close();
  }
}

/** The same, where it is given bytes. */
export async function ipfsOf(
  node: KuboNode,
  bytes: Readable,
  ...args: readonly string[]
): Promise<string> {
  const child = start(node, args, "pipe", "pipe");
  const [printed, [code]] = await Promise.all([
    text(child.stdout!),
    once(child, "exit"),
    pipeline(bytes, child.stdin!),
  ]);
  if (code !== 0) throw new Error(`ipfs ${args[0]} ended with ${code}`);
  return printed.trim();
}

/** Runs it, and gives what it prints to whoever takes it. */
export async function ipfsTo<Taken>(
  node: KuboNode,
  take: (printed: Readable) => Promise<Taken>,
  ...args: readonly string[]
): Promise<Taken> {
  const child = start(node, args, "pipe");
  const [taken, [code]] = await Promise.all([take(child.stdout!), once(child, "exit")]);
  if (code !== 0) throw new Error(`ipfs ${args[0]} ended with ${code}`);
  return taken;
}

/** Has a node forget everything. */
export async function emptyNode(node: KuboNode): Promise<void> {
  const pins = JSON.parse(await node.ask("pin/ls?type=recursive")) as {
    readonly Keys?: Readonly<Record<string, unknown>>;
  };
  const cids = Object.keys(pins.Keys ?? {});
  for (let at = 0; at < cids.length; at += pinsAtOnce) {
    const some = cids.slice(at, at + pinsAtOnce);
    await node.ask(`pin/rm?${some.map((cid) => `arg=${cid}`).join("&")}`);
  }
  await node.ask("repo/gc?quiet=true");
}

const pinsAtOnce = 500;

function start(
  node: KuboNode,
  args: readonly string[],
  output: "pipe" | number,
  input: "pipe" | "ignore" = "ignore",
) {
  const found = kubo.find();
  if (!found.available) throw new Error(found.reason);
  const env = { ...process.env, IPFS_PATH: node.repo, IPFS_TELEMETRY: "off" };
  return spawn(found.path, args, { env, stdio: [input, output, "inherit"] });
}
