import type { BackendTrouble, CallOptions } from "#model/driver.ts";
import { askedTrouble } from "#drivers/contract/asked-trouble.ts";
import type { ClusterClient, ClusterPeer } from "#drivers/ipfs-cluster/cluster-client.ts";
import type { ClusterOptions } from "#drivers/ipfs-cluster/cluster-options.ts";
import type { NodeReader } from "#drivers/ipfs-cluster/node-reader.ts";
import type { PreferredPeers } from "#drivers/ipfs-cluster/preferred-peers.ts";

export interface ClusterParts {
  readonly options: ClusterOptions;
  readonly client: ClusterClient;
  readonly reader: NodeReader;
  readonly preferred: PreferredPeers;
}

/** Peers that are away or too few, preferred ones that there are not, nodes that cannot be read. */
export async function findTroubles(
  { options, client, reader, preferred }: ClusterParts,
  call: CallOptions,
): Promise<readonly BackendTrouble[]> {
  const peers = await client.peers(call);
  const chosen = await askedTrouble(() => preferred.ids(call));
  const troubles = [...peerTroubles(peers, options), ...chosen];
  for (const node of reader.nodes) {
    const silent = await askedTrouble(
      () => node.askPeer(call),
      "check `rpc` and `rpcAuthorization`",
    );
    const found = silent.length > 0 ? silent : strangers(node.url, await node.peer(call), peers);
    troubles.push(...found);
  }
  const { gateway } = reader;
  if (gateway !== undefined) troubles.push(...(await askedTrouble(() => gateway.probe(call))));
  return troubles;
}

function peerTroubles(
  peers: readonly ClusterPeer[],
  { replicationMin }: ClusterOptions,
): readonly BackendTrouble[] {
  const away = peers.filter(({ error }) => error !== "");
  const troubles = away.map(({ id, peername, error }): BackendTrouble => ({
    state: "warn",
    message: `peer ${peername || id} does not answer: ${error}`,
    hint: "start it, or remove it from the cluster; what only it holds cannot be checked",
  }));
  const there = peers.length - away.length;
  if (replicationMin <= there) return troubles;
  const answering = there === 1 ? "1 peer answers" : `${there} peers answer`;
  const message = `replicationMin is ${replicationMin}, and ${answering}: no write can end`;
  const hint = "add peers, or lower replicationMin";
  return [...troubles, { state: "failed", message, hint }];
}

/** What another node gives is no proof of what the cluster holds. */
function strangers(
  url: string,
  id: string,
  peers: readonly ClusterPeer[],
): readonly BackendTrouble[] {
  const nodes = peers.map(({ ipfs }) => ipfs.id);
  // The node of a peer that is away is not known.
  if (nodes.includes(id) || nodes.includes("")) return [];
  const message = `the node at ${url} (${id}) belongs to no peer of this cluster`;
  return [{ state: "failed", message, hint: "correct `rpc`: copies are read and proven there" }];
}
