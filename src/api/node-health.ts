import { parseAddress } from "#api/address.ts";
import { ApiConnection } from "#api/api-connection.ts";
import type { NodeState } from "#model/engine-api.ts";
import { EngineError } from "#model/engine-error.ts";

const timeoutMs = 4_000;

/** Which node, and where its controller is. */
export interface NodeHealthRequest {
  readonly url: string;
  readonly token: string | undefined;
  /** The worker that is asked about; without it the controller itself is. */
  readonly node: string | undefined;
}

/** Whether a node is well, in words for `docker inspect`. */
export async function nodeHealth(
  request: NodeHealthRequest,
): Promise<{ readonly healthy: boolean; readonly reason: string }> {
  const connection = new ApiConnection(parseAddress(request.url), request.token ?? "");
  const { node } = request;
  try {
    if (node === undefined) {
      await connection.bytes("GET", "/readyz", { timeoutMs });
      return { healthy: true, reason: "the controller is ready" };
    }
    const nodes = await connection.json<NodeState[]>("GET", "/api/v1/nodes", { timeoutMs });
    const state = nodes.find(({ name }) => name === node);
    const seen = state ? `was last seen ${state.lastSeen}` : "has not reported itself yet";
    return { healthy: state?.up === true, reason: `node ${node} ${seen}` };
  } catch (thrown) {
    const error = EngineError.from(thrown);
    const away = error.code === "UNAVAILABLE" || error.code === "TIMEOUT";
    return { healthy: away && node !== undefined, reason: error.message };
  }
}
