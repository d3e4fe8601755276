import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ipfsCluster } from "../../scripts/services/ipfs-cluster.ts";
import {
  type ClusterPeerPlace,
  type ClusterPeerSettings,
  initialisePeer,
  introducePeer,
  runPeer,
} from "../../scripts/services/run-cluster.ts";
import { connectKubo, kuboMissing, type KuboNode, startKubo } from "./kubo.ts";
import { Restartable } from "./restartable.ts";

/** One peer of a cluster of a test's own, with its IPFS node. */
export interface ClusterPeer extends ClusterPeerPlace {
  readonly node: KuboNode;
  /** Ends the peer at once; its IPFS node stays. */
  kill(): Promise<void>;
  startAgain(): Promise<void>;
}

/** Two peers of IPFS Cluster over two IPFS nodes, with a secret and trust of their own. */
export interface TwoPeerCluster {
  readonly peers: readonly [ClusterPeer, ClusterPeer];
  readonly username: string;
  readonly password: string;
  /** Asks the REST API of the first peer; the answer as text. */
  ask(method: string, path: string): Promise<string>;
  /** Until both take part in allocations: again, where a test ended one or its node. */
  untilTogether(): Promise<void>;
  stop(): Promise<void>;
}

const username = "tester";
const password = "test-password";
const togetherWithinMs = 45_000;

/** Why a cluster cannot be started here, or undefined. */
export function clusterMissing(): string | undefined {
  const found = ipfsCluster.find();
  return found.available ? kuboMissing() : `ipfs-cluster: ${found.reason}`;
}

export async function startCluster(): Promise<TwoPeerCluster> {
  // What was begun ends, whichever step of the start fails, in the reverse order.
  await using begun = new AsyncDisposableStack();
  const root = await mkdtemp(join(tmpdir(), "thermocline-cluster-"));
  begun.defer(() => rm(root, { recursive: true, force: true }));
  const nodes = [await startKubo()];
  begun.defer(async () => void (await Promise.all(nodes.map((node) => node.stop()))));
  nodes.push(await startKubo());
  await connectKubo(...(nodes as [KuboNode, KuboNode]));
  const secret = randomBytes(32).toString("hex");
  const settings = nodes.map(({ rpc }, position): ClusterPeerSettings => {
    const name = `peer-${position + 1}`;
    const tags = { group: `rack-${position + 1}` };
    return { folder: join(root, name), name, secret, rpc, username, password, tags };
  });
  const places = await Promise.all(settings.map(initialisePeer));
  const peers = await Promise.all(
    places.map(async (place, position) => {
      const own = settings[position] as ClusterPeerSettings;
      await introducePeer(place, own, places);
      return new RunningPeer(place, own, nodes[position] as KuboNode);
    }),
  );
  begun.defer(async () => void (await Promise.all(peers.map((peer) => peer.kill()))));
  // One after the other: of two that dial each other at once, one may never hear of the other's
  // pins, since it announced what it listens to on the connection that was given up.
  for (const peer of peers) await peer.startAgain();
  const [first, second] = peers as [RunningPeer, RunningPeer];
  await untilTogether(peers);
  const ending = begun.move();
  return {
    peers: [first, second],
    username,
    password,
    ask: (method, path) => askPeer(first, method, path),
    untilTogether: () => untilTogether(peers),
    stop: () => ending.disposeAsync(),
  };
}

class RunningPeer implements ClusterPeer {
  readonly folder: string;
  readonly id: string;
  readonly name: string;
  readonly swarmPort: number;
  readonly api: string;
  readonly pinning: string;
  readonly node: KuboNode;
  readonly #server: Restartable;

  constructor(place: ClusterPeerPlace, settings: ClusterPeerSettings, node: KuboNode) {
    this.folder = place.folder;
    this.id = place.id;
    this.name = place.name;
    this.swarmPort = place.swarmPort;
    this.api = place.api;
    this.pinning = place.pinning;
    this.node = node;
    this.#server = new Restartable(() => runPeer(this, settings));
  }

  kill(): Promise<void> {
    return this.#server.kill();
  }

  startAgain(): Promise<void> {
    return this.#server.startAgain();
  }
}

async function askPeer({ api }: ClusterPeerPlace, method: string, path: string): Promise<string> {
  const words = Buffer.from(`${username}:${password}`).toString("base64");
  const headers = { Authorization: `Basic ${words}` };
  const answer = await fetch(`${api}${path}`, { method, headers });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return await answer.text();
}

/** Peers take part in allocations once each has heard how the others are. */
async function untilTogether(peers: readonly ClusterPeerPlace[]): Promise<void> {
  const deadline = Date.now() + togetherWithinMs;
  for (const peer of peers) {
    for (const name of ["ping", "freespace", "tag:group"]) {
      const path = `/monitor/metrics/${encodeURIComponent(name)}`;
      const hasHeardAll = async (): Promise<boolean> => {
        const heard = JSON.parse(await askPeer(peer, "GET", path)) as readonly Metric[] | null;
        return (heard ?? []).filter(isFresh).length === peers.length;
      };
      while (!(await hasHeardAll())) {
        if (Date.now() > deadline) throw new Error(`${peer.name} did not hear all: ${name}`);
        await sleep(50);
      }
    }
  }
}

/** What a peer said of itself; times in nanoseconds. */
interface Metric {
  readonly valid: boolean;
  readonly expire: number;
  readonly received_at: number;
}

/**
 * Each is said anew in half of the time for which it counts: an older one runs out before the
 * next, since what was to be said in between was not, as of a node that was away just then.
 */
function isFresh({ valid, expire, received_at: receivedAt }: Metric): boolean {
  return valid && expire - Date.now() * 1e6 >= (expire - receivedAt) / 2;
}
