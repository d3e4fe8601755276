import type { ByteStream, CallOptions } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { type GatewayAccess, gatewayAccess } from "#drivers/contract/gateway-secret.ts";
import type { HttpAnswer } from "#drivers/contract/http-answer.ts";
import { refusedError, strangeError } from "#drivers/contract/http-error.ts";
import { HttpService } from "#drivers/contract/http-service.ts";
import { notTooSlow } from "#drivers/contract/not-too-slow.ts";

/** The identity CID of no bytes. */
const contentInCid = "bafkqaaa";
const carType = "application/vnd.ipld.car";

export interface GatewayReaderOptions {
  readonly backend: string;
  readonly url: string;
  /** What `gatewayAuthorization` stands for; asked for at each request. */
  readonly secret: () => Promise<string | undefined>;
  readonly idleTimeoutMs: number;
}

/** Reads content as a CAR from a gateway that need not be trusted: what it gives is verified. */
export class GatewayReader {
  readonly url: string;
  readonly #backend: string;
  readonly #secret: GatewayReaderOptions["secret"];
  readonly #service: HttpService;

  constructor({ backend, url, secret, idleTimeoutMs }: GatewayReaderOptions) {
    this.#backend = backend;
    this.url = url;
    this.#secret = secret;
    this.#service = new HttpService({ url, idleTimeoutMs });
  }

  async open(cid: string, call: CallOptions): Promise<ByteStream> {
    const doing = `${this.#backend}: reading ${cid} through the gateway ${this.url}`;
    return await this.#open(cid, doing, call);
  }

  async #open(cid: string, doing: string, { signal }: CallOptions): Promise<ByteStream> {
    const access = gatewayAccess(await this.#secret());
    const path = `/ipfs/${cid}?format=car${access.query}`;
    const headers = { Accept: carType, ...access.headers };
    const answer = await this.#service.ask({ method: "GET", path, headers, doing, signal });
    if (!answer.ok) throw await refusal(answer, doing, access);
    if (answer.headers["content-type"]?.startsWith(carType) !== true) {
      throw strangeError(doing, "a trustless gateway");
    }
    const bytes = notTooSlow(answer.bytes(), this.#service.idleTimeoutMs, doing);
    return toldMissing(bytes, doing, access.hide);
  }

  /** Whether it gives CARs: of content that is in its own CID, so that nothing has to be found. */
  async probe(call: CallOptions): Promise<void> {
    const doing = `${this.#backend}: asking the gateway ${this.url} for a CAR`;
    for await (const _ of await this.#open(contentInCid, doing, call)) continue;
  }

  close(): void {
    this.#service.close();
  }
}

async function refusal(
  answer: HttpAnswer,
  doing: string,
  { hide }: GatewayAccess,
): Promise<EngineError> {
  const error = refusedError(answer, doing, hide((await answer.text()).trim()));
  if (answer.status !== 401 && answer.status !== 403) return error;
  return new EngineError(error.code, error.message, {
    hint: "give what the gateway wants to know in `gatewayAuthorization` of this backend, or correct it",
    details: error.details,
  });
}

/** A node says in the midst of a CAR that a block is not there, or not what it should be. */
export async function* toldMissing(
  stream: ByteStream,
  doing: string,
  hide: GatewayAccess["hide"] = (words) => words,
): ByteStream {
  try {
    yield* stream;
  } catch (thrown) {
    const error = EngineError.from(thrown);
    const words = hide(error.message);
    throw missingBlocks(words, doing) ?? (words === error.message ? error : reworded(error, words));
  }
}

function reworded(error: EngineError, words: string): EngineError {
  const { code, retryable, retryAfterMs, hint } = error;
  return new EngineError(code, words, {
    retryable,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(hint !== undefined && { hint }),
  });
}

/** CORRUPT when a node's words say that blocks are missing or damaged there. */
export function missingBlocks(words: string, doing: string): EngineError | undefined {
  if (!/could not find|not found locally|hash.* mismatch|did not match/i.test(words)) {
    return undefined;
  }
  return new EngineError("CORRUPT", `${doing}: ${words}`, {
    hint: "blocks of this pin are missing or damaged there: restore it from another copy",
  });
}
