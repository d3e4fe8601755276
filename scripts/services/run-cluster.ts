import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ipfsCluster } from "./ipfs-cluster.ts";
import { freePort, startServer, type ServerProcess } from "./server-process.ts";
import { runProgram } from "./service.ts";

/** A peer as it is set up; it belongs to its cluster by secret and by the peers it trusts. */
export interface ClusterPeerPlace {
  readonly folder: string;
  readonly id: string;
  readonly name: string;
  /** Port of the cluster's own network. */
  readonly swarmPort: number;
  /** Where its REST API listens. */
  readonly api: string;
  /** Where its Pinning Service API listens. */
  readonly pinning: string;
}

export interface ClusterPeerSettings {
  readonly folder: string;
  readonly name: string;
  /** 32 bytes in hex, the same for all peers. */
  readonly secret: string;
  /** The RPC API of its IPFS node: `http://127.0.0.1:PORT`. */
  readonly rpc: string;
  readonly username: string;
  readonly password: string;
  readonly tags: Readonly<Record<string, string>>;
}

type Section = Record<string, unknown>;
type Settings = Record<string, Record<string, Section> & Section>;

/** Makes the folder of a peer: identity and settings, loopback only, free ports. */
export async function initialisePeer(settings: ClusterPeerSettings): Promise<ClusterPeerPlace> {
  const { folder, name, secret } = settings;
  const program = programPath();
  await mkdir(folder, { recursive: true });
  const init = ["--config", folder, "init", "--consensus", "crdt", "--force"];
  const { problem } = runProgram(program, init, { CLUSTER_SECRET: secret });
  if (problem !== undefined) throw new Error(problem);
  const identity = await readJson<{ readonly id: string }>(join(folder, "identity.json"));
  const [swarmPort, api, pinning] = [await freePort(), await freePort(), await freePort()];
  const place = {
    folder,
    id: identity.id,
    name,
    swarmPort,
    api: `http://127.0.0.1:${api}`,
    pinning: `http://127.0.0.1:${pinning}`,
  };
  return place;
}

/** Has a peer know the others, and itself; to be done once for all before any is started. */
export async function introducePeer(
  place: ClusterPeerPlace,
  settings: ClusterPeerSettings,
  peers: readonly ClusterPeerPlace[],
): Promise<void> {
  const file = join(place.folder, "service.json");
  const config = await readJson<Settings>(file);
  const basic = { basic_auth_credentials: { [settings.username]: settings.password } };
  const others = peers.filter(({ id }) => id !== place.id);
  change(config, ["cluster"], {
    peername: place.name,
    listen_multiaddress: [`/ip4/127.0.0.1/tcp/${place.swarmPort}`],
    peer_addresses: others.map(({ id, swarmPort }) => `/ip4/127.0.0.1/tcp/${swarmPort}/p2p/${id}`),
    mdns_interval: "0s",
    // A peer counts for two of these without a word, which a busy machine may well take.
    monitor_ping_interval: "5s",
    peer_watch_interval: "1s",
    // One peer each, unless a pin says otherwise: then it says all of itself as soon as it is made.
    replication_factor_min: 1,
    replication_factor_max: 1,
    // A peer that a test ends comes back: its pins stay its own.
    disable_repinning: true,
  });
  change(config, ["consensus", "crdt"], {
    trusted_peers: peers.map(({ id }) => id),
    rebroadcast_interval: "1s",
  });
  change(config, ["api", "restapi"], {
    ...basic,
    http_listen_multiaddress: listen(place.api),
  });
  change(config, ["api", "pinsvcapi"], {
    ...basic,
    http_listen_multiaddress: listen(place.pinning),
  });
  delete config["api"]?.["ipfsproxy"];
  change(config, ["ipfs_connector", "ipfshttp"], {
    node_multiaddress: listen(settings.rpc),
    connect_swarms_delay: "1s",
  });
  change(config, ["informer", "tags"], { metric_ttl: "5s", tags: settings.tags });
  change(config, ["informer", "disk"], { metric_ttl: "5s" });
  change(config, ["informer", "pinqueue"], { metric_ttl: "5s" });
  change(config, ["monitor", "pubsubmon"], { check_interval: "1s" });
  await writeFile(file, JSON.stringify(config, undefined, 2));
}

/** Starts a peer where it was set up, and waits until its REST API answers. */
export async function runPeer(
  { folder, api }: ClusterPeerPlace,
  { username, password }: ClusterPeerSettings,
): Promise<ServerProcess> {
  const words = Buffer.from(`${username}:${password}`).toString("base64");
  const headers = { Authorization: `Basic ${words}` };
  return await startServer(programPath(), ["--config", folder, "daemon", "--no-trust"], {
    folder,
    // Asked before, v1.1.6 falls over its own RPC client, which is not there yet.
    says: "IPFS Cluster is READY",
    answers: async () => (await fetch(`${api}/id`, { headers })).ok,
  });
}

function listen(url: string): string {
  return `/ip4/127.0.0.1/tcp/${new URL(url).port}`;
}

function programPath(): string {
  const found = ipfsCluster.find();
  if (!found.available) throw new Error(found.reason);
  return found.path;
}

function change(config: Settings, [part = "", name]: readonly string[], to: Section): void {
  const section = (config[part] ??= {} as Settings[string]);
  if (name === undefined) Object.assign(section, to);
  else section[name] = { ...section[name], ...to };
}

async function readJson<Value>(path: string): Promise<Value> {
  return JSON.parse(await readFile(path, "utf8")) as Value;
}
