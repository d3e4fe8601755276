import { buffer } from "node:stream/consumers";
import type { Address } from "#api/address.ts";
import { formatAddress, parseAddress } from "#api/address.ts";
import { ApiClient } from "#api/client.ts";
import { readControllerState } from "#api/controller-state.ts";
import { sendCall } from "#api/http-call.ts";
import { readToken } from "#api/token.ts";
import { EngineError } from "#model/engine-error.ts";

const silenceMaxMs = 5_000;

/**
 * A client of the controller that wrote the state file; undefined when there is none or it has
 * died. Throws TIMEOUT when one lives and is silent: to go on without it would not be safe.
 */
export async function findController(stateFile: string): Promise<ApiClient | undefined> {
  const state = await readControllerState(stateFile);
  if (state === undefined) return undefined;
  const address = parseAddress(state.address);
  if ((await controllerAt(address)) !== state.instance) return undefined;
  return new ApiClient({ address: state.address, token: await readToken(state.tokenFile) });
}

/** The instance of the controller at an address; undefined when nobody or another program is. */
export async function controllerAt(
  address: Address,
  timeoutMs: number = silenceMaxMs,
): Promise<string | undefined> {
  try {
    const call = { method: "GET", path: "/version", headers: {}, timeoutMs } as const;
    const answer = await sendCall(address, call);
    const body: unknown = JSON.parse((await buffer(answer)).toString("utf8"));
    return instanceOf(body);
  } catch (thrown) {
    // Whatever else fails (nobody there, no HTTP, no JSON) is not a controller.
    if (!(thrown instanceof EngineError) || thrown.code !== "TIMEOUT") return undefined;
    throw new EngineError("TIMEOUT", `${formatAddress(address)} accepts calls and is silent`, {
      hint: "a controller may be stuck there: look at its log; stop it, or wait and try again",
      cause: thrown,
    });
  }
}

function instanceOf(body: unknown): string | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  if (!("name" in body) || body.name !== "thermocline" || !("instance" in body)) return undefined;
  return typeof body.instance === "string" ? body.instance : undefined;
}
