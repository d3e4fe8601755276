import type { CarBlock } from "#content/car-parser.ts";
import type { ByteStream, CallOptions } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { GatewayReader } from "#drivers/contract/gateway-reader.ts";
import { nodeRpc } from "#drivers/contract/node-rpc.ts";
import { type NodeRoom, RpcNode } from "#drivers/ipfs-cluster/rpc-node.ts";

export interface NodeReaderOptions {
  readonly backend: string;
  readonly rpc: readonly string[];
  readonly gateway: string | undefined;
  /** For `rpc`: of a user, as it stands in the nodes' `API.Authorizations`, or a whole header. */
  readonly secret: () => Promise<string | undefined>;
  /** For `gateway`: a header, or a query. */
  readonly gatewaySecret: () => Promise<string | undefined>;
  readonly idleTimeoutMs: number;
}

/** Content as a CAR, and which node gave it. */
export interface NodeRead {
  readonly stream: ByteStream;
  readonly from: string;
}

/** Reads content from the IPFS nodes behind a cluster: over their RPC API, or a gateway. */
export class NodeReader {
  readonly #options: NodeReaderOptions;
  readonly nodes: readonly RpcNode[];
  readonly gateway: GatewayReader | undefined;

  constructor(options: NodeReaderOptions) {
    this.#options = options;
    const { backend, rpc, gateway, secret, gatewaySecret, idleTimeoutMs } = options;
    const service = (url: string) => nodeRpc({ rpc: url, secret, idleTimeoutMs });
    this.nodes = rpc.map((url) => new RpcNode(backend, url, service(url)));
    this.gateway =
      gateway === undefined
        ? undefined
        : new GatewayReader({ backend, url: gateway, secret: gatewaySecret, idleTimeoutMs });
  }

  /**
   * Opens the content where it is pinned: there only what lies on that node itself is read. Where
   * none of the known nodes pins it, the gateway or one of them fetches it from those that do.
   */
  async open(cid: string, holders: readonly string[], call: CallOptions): Promise<NodeRead> {
    const holder = await this.#holding(holders, call);
    if (holder !== undefined) {
      const stream = await holder.exportCar(cid, true, call);
      return { stream, from: `on the node at ${holder.url}` };
    }
    if (this.gateway !== undefined) {
      const stream = await this.gateway.open(cid, call);
      return { stream, from: `through the gateway ${this.gateway.url}` };
    }
    const [node] = this.nodes;
    if (node !== undefined) {
      const stream = await node.exportCar(cid, false, call);
      return { stream, from: `through the node at ${node.url}` };
    }
    const message = `${this.#options.backend}: no node to read ${cid} from is known`;
    throw new EngineError("NOT_SUPPORTED", message, {
      hint: "give `rpc` or `gateway` in the options of this backend",
    });
  }

  /**
   * Takes away what nodes hold of these blocks in a damaged form, since they keep a block that
   * they have, whatever is sent to them. Intact ones stay, and stay pinned.
   */
  async removeDamaged(blocks: readonly CarBlock[], root: string, call: CallOptions): Promise<void> {
    for (const { cid, bytes } of blocks) {
      for (const node of this.nodes) {
        const stored = await node.block(cid.toString(), call);
        if (stored === undefined || Buffer.compare(stored, bytes) === 0) continue;
        await node.removeBlock(cid.toString(), root, call);
      }
    }
  }

  /** Whether so many of the known nodes have a block of so many bytes; all of them for 0 or less. */
  async hold(cid: string, bytes: number, copies: number, call: CallOptions): Promise<boolean> {
    const nodes = this.nodes;
    const wanted = copies > 0 ? copies : Math.max(1, nodes.length);
    if (nodes.length < wanted) return false;
    const held = await Promise.all(nodes.map((node) => node.holds(cid, bytes, call)));
    return held.filter(Boolean).length >= wanted;
  }

  /** What the known nodes hold together; undefined where none is known. */
  async room(call: CallOptions): Promise<NodeRoom | undefined> {
    if (this.nodes.length === 0) return undefined;
    const rooms = await Promise.all(this.nodes.map((node) => node.room(call)));
    return rooms.reduce((sum, room) => ({
      blocks: sum.blocks + room.blocks,
      usedBytes: sum.usedBytes + room.usedBytes,
      totalBytes: sum.totalBytes + room.totalBytes,
    }));
  }

  close(): void {
    for (const node of this.nodes) node.close();
    this.gateway?.close();
  }

  /** A node that answers and pins; one that does not answer leaves it to the others. */
  async #holding(holders: readonly string[], call: CallOptions): Promise<RpcNode | undefined> {
    let failure: EngineError | undefined;
    for (const node of this.nodes) {
      try {
        if (holders.includes(await node.peer(call))) return node;
      } catch (thrown) {
        failure = EngineError.from(thrown);
        if (failure.code === "CANCELLED") throw failure;
      }
    }
    if (failure !== undefined && this.gateway === undefined) throw failure;
    return undefined;
  }
}
