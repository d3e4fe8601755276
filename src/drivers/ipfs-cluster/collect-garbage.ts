import type { ClearOptions } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import type { GarbageStep } from "#model/garbage.ts";
import type { ClusterClient } from "#drivers/ipfs-cluster/cluster-client.ts";
import type { NodeReader } from "#drivers/ipfs-cluster/node-reader.ts";
import type { PeerGarbage } from "#drivers/ipfs-cluster/peer-garbage.ts";

interface Cluster {
  readonly backend: string;
  readonly client: ClusterClient;
  readonly reader: NodeReader;
}

/**
 * Has each peer's node drop what no pin needs, one after the other. UNAVAILABLE when some peer did
 * not, which says what each of them answered. What the nodes hold is known of those of `rpc`.
 */
export async function* collectGarbage(
  { backend, client, reader }: Cluster,
  { dryRun, signal }: ClearOptions,
): AsyncGenerator<GarbageStep> {
  const call = signal === undefined ? {} : { signal };
  const room = await reader.room(call);
  const before = {
    blocksBefore: room?.blocks,
    usedBytesBefore: room?.usedBytes,
    totalBytes: room?.totalBytes,
  };
  yield { ...before, blocks: 0, usedBytes: undefined };
  if (dryRun === true) return;
  const peers = await client.collectGarbage(call);
  const blocks = peers.reduce((sum, peer) => sum + peer.blocks, 0);
  if (peers.some(({ error }) => error !== "")) {
    yield { ...before, blocks, usedBytes: undefined };
    throw notEverywhere(backend, peers);
  }
  const nodes = peers.map(({ name, blocks: dropped }) => ({ name, blocks: dropped }));
  const after = await reader.room(call);
  yield { ...before, blocks, usedBytes: after?.usedBytes, nodes };
}

function notEverywhere(backend: string, peers: readonly PeerGarbage[]): EngineError {
  const failed = peers.filter(({ error }) => error !== "");
  const words = peers.map(({ name, blocks, error }) => {
    const dropped = `dropped ${blocks} ${blocks === 1 ? "block" : "blocks"}`;
    return error === "" ? `${name} ${dropped}` : `${name} ${dropped}, then: ${error}`;
  });
  const where = `${failed.length} of ${peers.length} peers`;
  return new EngineError(
    "UNAVAILABLE",
    `${backend}: garbage was not collected at ${where}: ${words.join("; ")}`,
    { hint: "see to these peers and their IPFS nodes, then give the order again" },
  );
}
