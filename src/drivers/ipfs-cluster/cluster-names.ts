import type { CallOptions } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { ipfsPeer } from "#drivers/contract/ipfs-peer.ts";
import type { ClusterClient, ClusterPeer } from "#drivers/ipfs-cluster/cluster-client.ts";

/**
 * The peers of a cluster and the IPFS nodes behind them. A peer that has been silent for a while
 * is no peer to the others, but unpins on its node what was unpinned meanwhile as soon as it is
 * back: it is named as it was known last, by us or by the peer that is asked.
 */
export class ClusterNames {
  readonly #backend: string;
  readonly #client: Pick<ClusterClient, "peers" | "lostPeers">;
  /** IPFS nodes, by the peers that had them last. */
  readonly #nodes = new Map<string, string>();

  constructor(backend: string, client: Pick<ClusterClient, "peers" | "lostPeers">) {
    this.#backend = backend;
    this.#client = client;
  }

  /**
   * UNAVAILABLE while one of the peers does not say who it is: its node may be that of another
   * backend, and holds pins of this one.
   */
  async names(call: CallOptions): Promise<readonly string[]> {
    const peers = await this.#client.peers(call);
    // Asked after the peers: one that is counted out in between is among either.
    const lost = await this.#client.lostPeers(call);
    const ids = new Set(peers.map(({ id }) => id));
    for (const { id, node } of lost) if (!ids.has(id)) this.#nodes.set(id, node);
    for (const { id, ipfs } of peers) if (ipfs.id !== "") this.#nodes.set(id, ipfs.id);
    const silent = peers.find(({ error, ipfs }) => error !== "" || ipfs.id === "");
    if (silent !== undefined) throw this.#cannotSay(silent);
    return [...this.#nodes].flatMap(([id, node]) => [`peer ${id}`, ipfsPeer(node)]);
  }

  #cannotSay({ id, peername, error }: ClusterPeer): EngineError {
    const said = error === "" ? "" : `: ${error}`;
    const name = peername || id;
    const message = `${this.#backend}: peer ${name} does not say which IPFS node it has${said}`;
    const hint = "start the peer and its node, or remove the peer from the cluster";
    return new EngineError("UNAVAILABLE", message, { hint });
  }
}
