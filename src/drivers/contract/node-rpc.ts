import { EngineError } from "#model/engine-error.ts";
import { HttpService } from "#drivers/contract/http-service.ts";

export interface NodeRpcOptions {
  /** Where the node listens: people copy the address with the path of the API, or without. */
  readonly rpc: string;
  /** The secret of a user, as it stands in the node's `API.Authorizations`, or a whole header. */
  readonly secret: () => Promise<string | undefined>;
  /** Without any progress for this long a request is given up. */
  readonly idleTimeoutMs: number;
}

/** The RPC API of an IPFS node; the paths of requests are those below `/api/v0`. */
export function nodeRpc({ rpc, secret, idleTimeoutMs }: NodeRpcOptions): HttpService {
  const address = rpc.replace(/\/+$/, "").replace(/\/api\/v0$/, "");
  const authorization = async (): Promise<string | undefined> => {
    const text = await secret();
    return text === undefined ? undefined : authorizationHeader(text);
  };
  return new HttpService({ url: `${address}/api/v0`, authorization, idleTimeoutMs });
}

/** The node says 403 to wrong credentials, and to paths that right ones may not ask for. */
export function deniedByNode(where: string, command: string, option: string): EngineError {
  return new EngineError("FORBIDDEN", `${where}: the node does not let us call ${command}`, {
    hint:
      `check \`${option}\` (\`bearer:TOKEN\` or \`basic:USER:PASSWORD\`) against the user and ` +
      "AllowedPaths in the node's API.Authorizations",
  });
}

/**
 * The header for a secret as it stands in `API.Authorizations` of a node: `bearer:TOKEN`,
 * `basic:USER:PASSWORD`, `basic:BASE64`, or a token alone. A whole header stays as it is.
 */
function authorizationHeader(secret: string): string {
  const text = secret.trim();
  if (/^[A-Za-z][\w-]* +\S/.test(text)) return text;
  const [, kind = "bearer", value = text] = /^(basic|bearer):(.*)$/s.exec(text) ?? [];
  if (kind === "bearer") return `Bearer ${value}`;
  return `Basic ${value.includes(":") ? Buffer.from(value).toString("base64") : value}`;
}
