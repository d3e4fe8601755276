import { z } from "zod";
import { EngineError } from "#model/engine-error.ts";
import type { HttpAnswer } from "#drivers/contract/http-answer.ts";
import { plainWords } from "#drivers/contract/http-error.ts";
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

/**
 * The node says 403 to wrong credentials, and to paths that right ones may not ask for; a proxy
 * before it for reasons of its own: what is said goes into the message.
 */
export async function deniedByNode(
  answer: HttpAnswer,
  where: string,
  command: string,
  option: string,
): Promise<EngineError> {
  const text = await answer.text().catch((thrown: unknown) => {
    if (EngineError.from(thrown).code === "CANCELLED") throw thrown;
    return "";
  });
  const plain = plainWords(wordsIn(text));
  const said = plain === "" ? "" : ` (403: ${plain})`;
  return new EngineError("FORBIDDEN", `${where}: the node does not let us call ${command}${said}`, {
    hint:
      `check \`${option}\` (\`bearer:TOKEN\` or \`basic:USER:PASSWORD\`) against the user and ` +
      "AllowedPaths in the node's API.Authorizations",
  });
}

const refusal = z.object({ Message: z.string() });

/** The message of a node, or what else answered in its place. */
function wordsIn(text: string): string {
  try {
    const said = refusal.safeParse(JSON.parse(text));
    return said.success ? said.data.Message : text;
  } catch {
    return text;
  }
}

/**
 * The header for a secret as it stands in `API.Authorizations` of a node: `bearer:TOKEN`,
 * `basic:USER:PASSWORD`, `basic:BASE64` in any case, or a token alone. A whole header stays as it
 * is.
 */
export function authorizationHeader(secret: string): string {
  const text = secret.trim();
  if (/^[A-Za-z][\w-]* +\S/.test(text)) return text;
  const [, kind = "bearer", value = text] = /^(basic|bearer): *(.*)$/is.exec(text) ?? [];
  if (kind.toLowerCase() === "bearer") return `Bearer ${value}`;
  return `Basic ${value.includes(":") ? Buffer.from(value).toString("base64") : value}`;
}
