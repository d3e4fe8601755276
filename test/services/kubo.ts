import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kubo } from "../../scripts/services/kubo.ts";
import {
  initialiseKubo,
  type KuboSettings,
  runKubo,
  type RunningKubo,
} from "../../scripts/services/run-kubo.ts";
import { freePort } from "../../scripts/services/server-process.ts";
import { Restartable } from "./restartable.ts";

/** An IPFS node of a test's own: loopback, random ports, private repository, no other peers. */
export interface KuboNode {
  /** Where its RPC API listens: `http://127.0.0.1:PORT`. */
  readonly rpc: string;
  /** Its folder: blocks lie in `blocks/`. */
  readonly repo: string;
  /** Of the process that runs now. */
  readonly pid: number;
  /** Asks its RPC API; the answer as text. Throws with what it said when it refuses. */
  ask(command: string, options?: { readonly body?: FormData }): Promise<string>;
  /** Ends the process at once; what it stored stays. */
  kill(): Promise<void>;
  /** Starts it where it was, with what it stored, unless it still runs. */
  startAgain(): Promise<void>;
  stop(): Promise<void>;
}

/** Why Kubo cannot be started here, or undefined. */
export function kuboMissing(): string | undefined {
  const found = kubo.find();
  return found.available ? undefined : `kubo: ${found.reason}`;
}

/** Starts an IPFS node. With `authorizations`, `authorization` is the header of a user in them. */
export async function startKubo(
  settings: KuboSettings & { readonly authorization?: string } = {},
): Promise<KuboNode> {
  const root = await mkdtemp(join(tmpdir(), "thermocline-kubo-"));
  const repo = join(root, "repo");
  const { authorization } = settings;
  const access = authorization === undefined ? {} : { authorization };
  const headers = authorization === undefined ? {} : { Authorization: authorization };
  // Started again, it serves where it served; only the address of its API can be said then.
  const gateway = `/ip4/127.0.0.1/tcp/${await freePort()}`;
  const config = { "Addresses.Gateway": gateway, ...settings.config };
  await initialiseKubo(repo, { ...settings, config });
  const running = new Restartable<RunningKubo>((before) =>
    runKubo(repo, { ...access, ...(before && { port: Number(new URL(before.rpc).port) }) }),
  );
  await running.startAgain();
  const { rpc } = running.server;
  return {
    rpc,
    repo,
    get pid() {
      return running.server.pid;
    },
    ask: async (command, { body } = {}) => {
      const request = { method: "POST", headers, ...(body === undefined ? {} : { body }) };
      const answer = await fetch(`${rpc}/api/v0/${command}`, request);
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${command}: ${text}`);
      return text;
    },
    kill: () => running.kill(),
    startAgain: () => running.startAgain(),
    stop: async () => {
      await running.stop();
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** Has two nodes know each other, so that blocks can pass between them. */
export async function connectKubo(one: KuboNode, other: KuboNode): Promise<void> {
  const { Addresses } = JSON.parse(await other.ask("id")) as { readonly Addresses: string[] };
  const [address] = Addresses;
  if (address === undefined) throw new Error("the node has no address");
  await one.ask(`swarm/connect?arg=${encodeURIComponent(address)}`);
}
