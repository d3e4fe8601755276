import type { CallOptions } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { ipfsPeer } from "#drivers/contract/ipfs-peer.ts";
import type { ClusterClient, ClusterPeer } from "#drivers/ipfs-cluster/cluster-client.ts";

/**
 * The peers of a cluster and the IPFS nodes behind them. A peer that has been silent for a while
 * is no peer to the others, but unpins on its node what was unpinned meanwhile as soon as it is
 * back: it stays a part of the cluster as long as we live, with the node that it had last.
 */
export class ClusterNames {
  readonly #backend: string;
  readonly #client: Pick<ClusterClient, "peers" | "silentPeer">;
  /** IPFS nodes, by the peers that have or had them; none where nobody said. */
  readonly #nodes = new Map<string, ReadonlySet<string>>();

  constructor(backend: string, client: Pick<ClusterClient, "peers" | "silentPeer">) {
    this.#backend = backend;
    this.#client = client;
  }

  /**
   * UNAVAILABLE while one of the peers does not say who it is, since its node may be that of
   * another backend and holds pins of this one; and once any peer was silent for long, since the
   * cluster tells the first such peer and none of those after it.
   */
  async names(call: CallOptions): Promise<readonly string[]> {
    const peers = await this.#client.peers(call);
    // Asked after the peers: one that is counted out in between is among either.
    const silent = await this.#client.silentPeer(call);
    for (const peer of peers) this.#nodes.set(peer.id, nodesOf(peer, this.#nodes.get(peer.id)));
    const mute = peers.find((peer) => !isLive(peer));
    if (mute !== undefined) throw this.#cannotSay(mute);
    if (silent !== undefined) throw this.#cannotSayWho(silent);
    return [...this.#nodes].flatMap(([id, nodes]) => {
      if (nodes.size === 0) throw this.#neverSaid(id);
      return [`peer ${id}`, ...Array.from(nodes, ipfsPeer)];
    });
  }

  #cannotSay({ id, peername, error }: ClusterPeer): EngineError {
    const said = error === "" ? "" : `: ${error}`;
    const name = peername || id;
    const message = `${this.#backend}: peer ${name} does not say which IPFS node it has${said}`;
    const hint = "start the peer and its node, or remove the peer from the cluster";
    return new EngineError("UNAVAILABLE", message, { hint });
  }

  #neverSaid(id: string): EngineError {
    const message = `${this.#backend}: peer ${id} is no longer there, and never said which IPFS node it has`;
    const hint =
      "start the peer and its node, or where it left for good, restart the nodes and the controller of Thermocline: they keep in memory that it was there";
    return new EngineError("UNAVAILABLE", message, { hint });
  }

  #cannotSayWho(silent: string): EngineError {
    const message = `${this.#backend}: peer ${silent} was silent for long, and the cluster does not tell of peers that fell silent after it: nobody can say which IPFS nodes it is made of`;
    const hint =
      "when all its peers are there again, but for those that left for good, restart the cluster service of the peer that is asked (url): it keeps its alerts in memory";
    return new EngineError("UNAVAILABLE", message, { hint });
  }
}

function isLive({ error, ipfs }: ClusterPeer): boolean {
  return error === "" && ipfs.id !== "";
}

/** What a peer says counts; while it says nothing, all that it had. */
function nodesOf(peer: ClusterPeer, known: ReadonlySet<string> = new Set()): ReadonlySet<string> {
  if (isLive(peer)) return new Set([peer.ipfs.id]);
  return peer.ipfs.id === "" ? known : new Set([...known, peer.ipfs.id]);
}
