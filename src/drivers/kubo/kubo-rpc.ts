import type { ByteStream, DriverContext } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { type HttpAnswer, LateError } from "#drivers/contract/http-answer.ts";
import { plainWords, refusedError, strangeError } from "#drivers/contract/http-error.ts";
import type { HttpService } from "#drivers/contract/http-service.ts";
import { LeastSpeed } from "#drivers/contract/least-speed.ts";
import { notTooSlow } from "#drivers/contract/not-too-slow.ts";
import { jsonLines } from "#drivers/contract/json-lines.ts";
import { nodeRpc } from "#drivers/contract/node-rpc.ts";
import { kuboError } from "#drivers/kubo/kubo-error.ts";
import type { KuboOptions } from "#drivers/kubo/kubo-options.ts";
import { carForm } from "#drivers/contract/car-form.ts";

/** Whoever does not answer a small question within this time is not there. */
const silenceMs = 60_000;

export interface RpcOptions {
  readonly rpc: string;
  /** The secret of a user, as it stands in the node's `API.Authorizations`. */
  readonly secret: () => Promise<string | undefined>;
  /** How long the node may be silent while it works on something large. */
  readonly timeoutMs: number;
}

export interface RpcCall {
  readonly signal?: AbortSignal | undefined;
  /** What the call is for, for messages: "looking for bafy… at kubo-eu". */
  readonly doing: string;
  /** One file, sent as it comes. */
  readonly file?: ByteStream;
  /** The node may be silent for long before it answers. */
  readonly isLong?: boolean;
}

/** See FillingBody. */
export type Filling = ReturnType<HttpAnswer["filling"]>;

/** A list is a parameter that is given several times. */
type Parameters = Readonly<Record<string, string | boolean | readonly string[]>>;

/**
 * The RPC API of an IPFS node. A refusal of the node throws, and so does an answer that began
 * well and then failed (trailer `X-Stream-Error`) or broke off: its stream ends with an error.
 */
export class KuboRpc {
  readonly #quick: HttpService;
  readonly #patient: HttpService;
  readonly #hasSecret: () => Promise<boolean>;

  constructor({ rpc, secret, timeoutMs }: RpcOptions) {
    this.#hasSecret = async () => (await secret()) !== undefined;
    this.#quick = nodeRpc({ rpc, secret, idleTimeoutMs: Math.min(silenceMs, timeoutMs) });
    this.#patient = nodeRpc({ rpc, secret, idleTimeoutMs: timeoutMs });
  }

  /** The one value that a command answers with. */
  async value<Value>(command: string, parameters: Parameters, call: RpcCall): Promise<Value> {
    const answer = await this.#ask(command, parameters, call);
    const value = await late(call.doing, () => answer.json());
    if (typeof value !== "object" || value === null) throw strangeError(call.doing, "Kubo");
    return value as Value;
  }

  /** The values that a command answers with, each as it comes. */
  async *values<Value>(
    command: string,
    parameters: Parameters,
    call: RpcCall,
  ): AsyncGenerator<Value> {
    const answer = await this.#ask(command, parameters, call);
    for await (const value of jsonLines(lateBytes(call.doing, answer), call.doing)) {
      if (typeof value !== "object" || value === null) throw strangeError(call.doing, "Kubo");
      yield value as Value;
    }
  }

  /** The bytes that a command answers with; it has begun to answer when this returns. */
  async bytes(command: string, parameters: Parameters, call: RpcCall): Promise<ByteStream> {
    const answer = await this.#ask(command, parameters, call);
    const { idleTimeoutMs } = call.isLong === true ? this.#patient : this.#quick;
    return notTooSlow(lateBytes(call.doing, answer), idleTimeoutMs, call.doing);
  }

  /** The same bytes, for whoever has memory for them. */
  async filling(command: string, parameters: Parameters, call: RpcCall): Promise<Filling> {
    const { doing } = call;
    const answer = await this.#ask(command, parameters, call);
    const { idleTimeoutMs } = call.isLong === true ? this.#patient : this.#quick;
    const body = answer.filling(new LeastSpeed(idleTimeoutMs, doing));
    return { ...body, readInto: (memory) => late(doing, () => body.readInto(memory)) };
  }

  /** Whether this user may call a command. What it is called with must have it refuse and do nothing. */
  async mayCall(command: string, parameters: Parameters, call: RpcCall): Promise<boolean> {
    try {
      await this.value(command, parameters, call);
      return true;
    } catch (thrown) {
      const { code } = EngineError.from(thrown);
      if (code === "CANCELLED" || code === "UNAUTHENTICATED") throw thrown;
      return code !== "FORBIDDEN";
    }
  }

  close(): void {
    this.#quick.close();
    this.#patient.close();
  }

  async #ask(command: string, parameters: Parameters, call: RpcCall): Promise<HttpAnswer> {
    const { signal, doing, file } = call;
    const query = new URLSearchParams(
      Object.entries(parameters).flatMap(([name, given]) =>
        [given].flat().map((value): [string, string] => [name, String(value)]),
      ),
    );
    const service = call.isLong === true ? this.#patient : this.#quick;
    const request = {
      method: "POST",
      path: `/${command}?${query.toString()}`,
      doing,
      signal,
    } as const;
    // A file is used up; all else that is asked may be asked twice.
    const rest = file === undefined ? { isRepeatable: true } : carForm(file);
    const answer = await service.ask({ ...request, ...rest });
    if (answer.ok) return answer;
    throw await this.#refusal(command, answer, call);
  }

  async #refusal(command: string, answer: HttpAnswer, call: RpcCall): Promise<EngineError> {
    const { doing } = call;
    const text = await answer.text();
    const message = messageIn(text);
    if (message !== undefined) return kuboError(message, doing);
    if (answer.status === 403) return await this.#denied(command, call, plainWords(text));
    if (answer.status === 404) return strangeError(doing, "Kubo");
    return refusedError(answer, doing, text.trim());
  }

  /**
   * The node says 403 to wrong secrets and to paths that a right one may not ask for; a proxy
   * before it for reasons of its own, which it tells.
   */
  async #denied(command: string, { doing, signal }: RpcCall, words: string): Promise<EngineError> {
    const said = words === "" ? "" : ` (403: ${words})`;
    const hasSecret = await this.#hasSecret();
    if (hasSecret && command !== "version") {
      const asked = this.value("version", {}, { doing, signal });
      const isKnown = await asked.then(
        () => true,
        () => false,
      );
      if (isKnown) {
        return new EngineError("FORBIDDEN", `${doing}: the user may not call ${command}${said}`, {
          hint: `add "/api/v0/${command}" to AllowedPaths of the user in API.Authorizations`,
        });
      }
    }
    const what = hasSecret ? "does not accept the credentials" : "asks for credentials";
    return new EngineError("UNAUTHENTICATED", `${doing}: the node ${what}${said}`, {
      hint: "check `authorization` of this backend against API.Authorizations of the node",
    });
  }
}

/** As the options of a backend say. */
export function openRpc(context: Pick<DriverContext<KuboOptions>, "options" | "secret">): KuboRpc {
  const { rpc, authorization, timeout } = context.options;
  const secret = async (): Promise<string | undefined> =>
    authorization === undefined ? undefined : await context.secret(authorization);
  return new KuboRpc({ rpc, timeoutMs: timeout, secret });
}

/** What Kubo says when it refuses, or undefined when it was not Kubo that did. */
function messageIn(text: string): string | undefined {
  try {
    const { Message: message } = JSON.parse(text) as { readonly Message?: unknown };
    return typeof message === "string" ? message : undefined;
  } catch {
    return undefined;
  }
}

async function* lateBytes(doing: string, answer: HttpAnswer): ByteStream {
  try {
    yield* answer.bytes();
  } catch (thrown) {
    throw told(doing, thrown);
  }
}

async function late<Value>(doing: string, read: () => Promise<Value>): Promise<Value> {
  try {
    return await read();
  } catch (thrown) {
    throw told(doing, thrown);
  }
}

/** An error that the node told at the end of an answer is one of the node, not of the network. */
function told(doing: string, thrown: unknown): unknown {
  const { cause } = EngineError.from(thrown);
  return cause instanceof LateError ? kuboError(cause.message, doing) : thrown;
}
