import { z } from "zod";
import { EngineError } from "#model/engine-error.ts";
import type { HttpAnswer } from "#drivers/contract/http-answer.ts";
import { refusedError, strangeError } from "#drivers/contract/http-error.ts";
import type { HttpRequest, HttpService } from "#drivers/contract/http-service.ts";
import {
  type PinRequest,
  pinRequest,
  type PinState,
  pinStates,
} from "#drivers/pinning-service/pin-request.ts";

const service = "a service of the IPFS Pinning Service API";
/** The most that the specification lets a page have. */
export const pageMax = 1_000;

/** What is to be pinned (`Pin` of the specification). */
export interface PinWanted {
  readonly cid: string;
  readonly name: string;
  readonly origins: readonly string[];
  readonly meta: Readonly<Record<string, string>>;
}

/** Which requests to list; the filters of the specification. */
export interface PinFilter {
  readonly cids?: readonly string[];
  readonly states?: readonly PinState[];
  readonly before?: string;
  readonly after?: string;
  readonly name?: string;
  readonly match?: "exact" | "iexact" | "partial" | "ipartial";
  readonly meta?: Readonly<Record<string, string>>;
  readonly limit?: number;
}

export interface PinPage {
  /** How many requests there are that fit the filter, on this page and behind it. */
  readonly count: number;
  readonly results: readonly PinRequest[];
}

type Call = Pick<HttpRequest, "signal">;

/** The IPFS Pinning Service API 1.0 (ipfs.github.io/pinning-services-api-spec). */
export class PinningClient {
  readonly #service: HttpService;
  readonly #backend: string;

  constructor(backend: string, http: HttpService) {
    this.#backend = backend;
    this.#service = http;
  }

  async page(filter: PinFilter, call: Call): Promise<PinPage> {
    const path = `/pins?${filterQuery(filter).toString()}`;
    const what = filter.cids === undefined ? "listing the pins" : `looking for ${filter.cids[0]}`;
    return await this.#value(this.#request("GET", path, what, call), page);
  }

  /** Asks for a pin; the answer says how it stands, and where the service fetches from. */
  async add(pin: PinWanted, call: Call): Promise<PinRequest> {
    return await this.#post("/pins", pin, `pinning ${pin.cid}`, call);
  }

  /** Takes the place of an earlier request, at once; the new one has an id of its own. */
  async replace(id: string, pin: PinWanted, call: Call): Promise<PinRequest> {
    const path = `/pins/${encodeURIComponent(id)}`;
    return await this.#post(path, pin, `pinning ${pin.cid} again`, call);
  }

  /** How a request stands; undefined when the service knows it no longer. */
  async get(id: string, call: Call): Promise<PinRequest | undefined> {
    const path = `/pins/${encodeURIComponent(id)}`;
    const request = this.#request("GET", path, `asking for the request ${id}`, call);
    const answer = await this.#service.ask(request);
    if (answer.status === 404) return await absent(answer, request);
    return await parsed(answer, request, pinRequest);
  }

  async remove(id: string, call: Call): Promise<"removed" | "absent"> {
    const path = `/pins/${encodeURIComponent(id)}`;
    const request = this.#request("DELETE", path, `deleting the request ${id}`, call);
    const answer = await this.#service.ask(request);
    if (answer.status === 404) return (await absent(answer, request)) ?? "absent";
    if (!answer.ok) throw await refusal(answer, request);
    await answer.discard();
    return "removed";
  }

  close(): void {
    this.#service.close();
  }

  async #post(path: string, pin: PinWanted, what: string, call: Call): Promise<PinRequest> {
    const headers = { "Content-Type": "application/json" };
    const body = JSON.stringify(pin);
    const request = { ...this.#request("POST", path, what, call), headers, body };
    return await this.#value(request, pinRequest);
  }

  #request(method: HttpRequest["method"], path: string, act: string, call: Call): HttpRequest {
    return { method, path, doing: `${this.#backend}: ${act}`, signal: call.signal };
  }

  async #value<Value>(request: HttpRequest, schema: z.ZodType<Value>): Promise<Value> {
    return await parsed(await this.#service.ask(request), request, schema);
  }
}

const page = z.object({ count: z.int().nonnegative(), results: z.array(pinRequest) });
const failure = z.object({
  error: z.object({ reason: z.string(), details: z.string().default("") }),
});

function filterQuery(filter: PinFilter): URLSearchParams {
  const { cids, states = pinStates, before, after, name, match, meta = {}, limit } = filter;
  const query = new URLSearchParams({ limit: String(limit ?? pageMax), status: states.join(",") });
  if (cids !== undefined) query.set("cid", cids.join(","));
  if (before !== undefined) query.set("before", before);
  if (after !== undefined) query.set("after", after);
  if (name !== undefined) query.set("name", name);
  if (match !== undefined) query.set("match", match);
  if (Object.keys(meta).length > 0) query.set("meta", JSON.stringify(meta));
  return query;
}

async function parsed<Value>(
  answer: HttpAnswer,
  request: HttpRequest,
  schema: z.ZodType<Value>,
): Promise<Value> {
  if (!answer.ok) throw await refusal(answer, request);
  const found = schema.safeParse(await answer.json());
  if (!found.success) throw strangeError(request.doing, service);
  return found.data;
}

/** Only the service's own kind of error says that a request is absent; any server answers 404. */
async function absent(answer: HttpAnswer, { doing }: HttpRequest): Promise<undefined> {
  if (failure.safeParse(await answer.json()).success) return undefined;
  throw strangeError(doing, service);
}

async function refusal(answer: HttpAnswer, { doing }: HttpRequest): Promise<EngineError> {
  const said = failure.safeParse(await answer.json());
  const { reason, details } = said.success ? said.data.error : { reason: "", details: "" };
  const words = [reason, details].filter((part) => part !== "").join(": ");
  if (answer.status !== 409) return refusedError(answer, doing, words);
  return new EngineError("NO_SPACE", `${doing}: the account has no means left (409 ${words})`, {
    hint: "top up the account or raise its plan; work that waits for it goes on by itself",
  });
}
