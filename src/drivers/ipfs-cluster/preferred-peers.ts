import type { CallOptions, DriverContext } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import type { ClusterClient } from "#drivers/ipfs-cluster/cluster-client.ts";
import type { ClusterOptions } from "#drivers/ipfs-cluster/cluster-options.ts";

/** Peers come and go: who they are is asked again after this. */
const knownForMs = 60_000;

/** The peers that new pins should go to first, as the options name them or their tags. */
export class PreferredPeers {
  readonly #client: ClusterClient;
  readonly #backend: string;
  readonly #options: ClusterOptions;
  #known: { readonly at: number; readonly ids: readonly string[] } | undefined;

  constructor(client: ClusterClient, { backend, options }: DriverContext<ClusterOptions>) {
    this.#client = client;
    this.#backend = backend;
    this.#options = options;
  }

  async ids(call: CallOptions): Promise<readonly string[]> {
    const now = performance.now();
    if (this.#known === undefined || now - this.#known.at > knownForMs) {
      const named = await this.#named(call);
      const wanted = [...new Set([...named, ...(await this.#tagged(call))])];
      this.#known = { at: now, ids: await this.#spread(wanted, call) };
    }
    return this.#known.ids;
  }

  async #named(call: CallOptions): Promise<readonly string[]> {
    const { allocations } = this.#options;
    if (allocations.length === 0) return [];
    const peers = await this.#client.peers(call);
    return allocations.map((wanted) => {
      const found = peers.find(({ id, peername }) => id === wanted || peername === wanted);
      if (found !== undefined) return found.id;
      const known = peers.map(({ id, peername }) => peername || id).join(", ");
      throw this.#nobody(`no peer "${wanted}"`, `its peers are ${known}; correct \`allocations\``);
    });
  }

  async #tagged(call: CallOptions): Promise<readonly string[]> {
    const tags = Object.entries(this.#options.allocateByTags);
    let left: readonly string[] | undefined;
    for (const [tag, wanted] of tags) {
      const said = await this.#client.metric(`tag:${tag}`, call);
      const having = [...said].filter(([, value]) => value === wanted).map(([peer]) => peer);
      left = left === undefined ? having : left.filter((peer) => having.includes(peer));
    }
    if (left?.length !== 0) return left ?? [];
    const words = tags.map(([tag, value]) => `${tag}=${value}`).join(", ");
    throw this.#nobody(`no peer with ${words}`, "see `informer.tags` in the peers' service.json");
  }

  /**
   * As many peers as a pin goes to, no two with the same value of the tag by which it is spread:
   * of each value one that was asked for, else the one with the most room. Throws where there are too few values.
   */
  async #spread(wanted: readonly string[], call: CallOptions): Promise<readonly string[]> {
    const { allocatePer: tag, replicationMax: count } = this.#options;
    if (tag === undefined) return wanted;
    const values = await this.#client.metric(`tag:${tag}`, call);
    const room = await this.#client.metric("freespace", call);
    const free = (peer: string): number => Number(room.get(peer) ?? 0);
    const others = [...values.keys()].filter((peer) => !wanted.includes(peer));
    const inOrder = [...wanted, ...others.toSorted((one, other) => free(other) - free(one))];
    const chosen = new Map<string, string>();
    for (const peer of inOrder) {
      const value = values.get(peer);
      if (value !== undefined && !chosen.has(value)) chosen.set(value, peer);
    }
    if (chosen.size >= count) return [...chosen.values()].slice(0, count);
    const found = [...chosen.keys()].join(", ") || "none";
    throw this.#nobody(
      `too few values of the tag ${tag} for ${count} peers that differ in it: ${found}`,
      "see `informer.tags` in the peers' service.json, or lower `replicationMax`",
    );
  }

  #nobody(what: string, hint: string): EngineError {
    return new EngineError("UNAVAILABLE", `${this.#backend}: the cluster has ${what}`, { hint });
  }
}
