import { EngineError } from "#model/engine-error.ts";
import { ipfsPeer } from "#drivers/contract/ipfs-peer.ts";
import type { ClusterPeer } from "#drivers/ipfs-cluster/cluster-client.ts";

/**
 * The peers of a cluster and the IPFS nodes behind them. UNAVAILABLE while one of them does not say
 * who it is: its node may be that of another backend, and holds pins of this one.
 */
export function clusterNames(backend: string, peers: readonly ClusterPeer[]): readonly string[] {
  const silent = peers.find(({ error, ipfs }) => error !== "" || ipfs.id === "");
  if (silent === undefined) {
    return peers.flatMap(({ id, ipfs }) => [`peer ${id}`, ipfsPeer(ipfs.id)]);
  }
  const { id, peername, error } = silent;
  const said = error === "" ? "" : `: ${error}`;
  const message = `${backend}: peer ${peername || id} does not say which IPFS node it has${said}`;
  const hint = "start the peer and its node, or remove the peer from the cluster";
  throw new EngineError("UNAVAILABLE", message, { hint });
}
