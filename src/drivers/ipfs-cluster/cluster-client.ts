import { z } from "zod";
import type { ByteStream } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import type { HttpAnswer } from "#drivers/contract/http-answer.ts";
import { refusedError, strangeError } from "#drivers/contract/http-error.ts";
import { type HttpRequest, HttpService } from "#drivers/contract/http-service.ts";
import { jsonLines } from "#drivers/contract/json-lines.ts";
import { carForm } from "#drivers/contract/car-form.ts";
import { type PeerGarbage, readPeerGarbage } from "#drivers/ipfs-cluster/peer-garbage.ts";
import {
  type PinInfo,
  pinInfo,
  type WantedPin,
  wantedPin,
} from "#drivers/ipfs-cluster/pin-info.ts";

const service = "the REST API of IPFS Cluster";

/** Older ones answer with whole lists where these answer with streams. */
const oldestMajor = 1;

/** How a pin is asked for: the query options of the REST API. */
export interface PinRequest {
  readonly replicationMin: number;
  readonly replicationMax: number;
  readonly allocations: readonly string[];
  readonly name: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Where the content can be fetched: multiaddrs that end in a peer ID. */
  readonly origins?: readonly string[];
}

type Call = Pick<HttpRequest, "signal">;

/** The REST API of IPFS Cluster 1.x, as far as a driver needs it. */
export class ClusterClient {
  readonly #service: HttpService;
  readonly #patient: HttpService;
  readonly #backend: string;

  /** `patient` is the same service, for what is answered when all is done. */
  constructor(backend: string, http: HttpService, patient: HttpService) {
    this.#backend = backend;
    this.#service = http;
    this.#patient = patient;
  }

  async version(call: Call): Promise<string> {
    const request = this.#request("GET", "/version", "asking for the version", call);
    const { version } = await this.#value(request, z.object({ version: z.string() }));
    if (Number(version.split(".")[0]) >= oldestMajor) return version;
    throw new EngineError("NOT_SUPPORTED", `${this.#backend}: IPFS Cluster ${version} is too old`, {
      hint: `update its peers to IPFS Cluster ${oldestMajor}.0 or newer`,
    });
  }

  async peers(call: Call): Promise<readonly ClusterPeer[]> {
    const request = this.#request("GET", "/peers", "asking for the peers", call);
    return await Array.fromAsync(this.#stream(request, clusterPeer));
  }

  /**
   * A peer that was silent for long since the one that is asked was started; undefined when none
   * was. The cluster tells no more than the first of them, and goes on telling it.
   */
  async silentPeer(call: Call): Promise<string | undefined> {
    const request = this.#request("GET", "/health/alerts", "asking for silent peers", call);
    const alerts = (await this.#value(request, z.array(alert).nullable())) ?? [];
    return alerts.find(({ name }) => name === "ping")?.peer;
  }

  /** What each peer says of a metric, newest and still valid. */
  async metric(name: string, call: Call): Promise<ReadonlyMap<string, string>> {
    const path = `/monitor/metrics/${encodeURIComponent(name)}`;
    const request = this.#request("GET", path, `asking for the metric ${name}`, call);
    const found = await this.#value(request, z.array(metric).nullable());
    const valid = (found ?? []).filter((one) => one.valid);
    return new Map(valid.map(({ peer, value }) => [peer, value]));
  }

  /** What the cluster wants of a CID; undefined when it is not in the pinset. */
  async wanted(cid: string, call: Call): Promise<WantedPin | undefined> {
    const path = `/allocations/${cid}`;
    const request = this.#request("GET", path, `looking for ${cid}`, call);
    const answer = await this.#service.ask(request);
    // Only the cluster's own words say that a pin is absent; any server answers 404.
    if (answer.status === 404) return await this.#absent(answer, request);
    return await this.#parsed(answer, request, wantedPin);
  }

  /** The whole pinset, in the order in which the cluster keeps it. */
  pinset(call: Call): AsyncGenerator<WantedPin> {
    const path = "/allocations?filter=pin";
    return this.#stream(this.#request("GET", path, "listing the pins", call), wantedPin);
  }

  /** What the peers say of some pins; asked for together, in no order. */
  async standings(cids: readonly string[], call: Call): Promise<ReadonlyMap<string, PinInfo>> {
    const path = `/pins?cids=${cids.join(",")}`;
    const request = this.#request("GET", path, `asking for ${cids.length} pins`, call);
    const found = await Array.fromAsync(this.#stream(request, pinInfo));
    const byCid = new Map(found.map((info) => [info.cid, info]));
    const missing = cids.find((cid) => !byCid.has(cid));
    if (missing === undefined) return byCid;
    throw new EngineError("UNAVAILABLE", `${request.doing}: nothing was said of ${missing}`);
  }

  async standing(cid: string, call: Call): Promise<PinInfo> {
    const request = this.#request("GET", `/pins/${cid}`, `looking for ${cid}`, call);
    return await this.#value(request, pinInfo);
  }

  /** Has the peers keep the content, now and after restarts. They may not have it yet. */
  async pin(cid: string, pin: PinRequest, call: Call): Promise<void> {
    const path = `/pins/${cid}?${pinQuery(pin).toString()}`;
    await this.#value(this.#request("POST", path, `pinning ${cid}`, call), wantedPin);
  }

  /** Has peers where a pin failed try again. */
  async recover(cid: string, call: Call): Promise<void> {
    const path = `/pins/${cid}/recover`;
    await this.#value(this.#request("POST", path, `recovering ${cid}`, call), pinInfo);
  }

  async unpin(cid: string, call: Call): Promise<"removed" | "absent"> {
    const request = this.#request("DELETE", `/pins/${cid}`, `unpinning ${cid}`, call);
    const answer = await this.#service.ask(request);
    if (answer.status === 404) return (await this.#absent(answer, request)) ?? "absent";
    await this.#parsed(answer, request, wantedPin);
    return "removed";
  }

  /**
   * Brings the blocks of a CAR to the peers that the cluster chooses, without pinning them.
   * Returns the root that arrived and where its blocks are now.
   */
  async addBlocks(cid: string, pin: PinRequest, car: ByteStream, call: Call): Promise<AddedCar> {
    const query = pinQuery(pin);
    const settings = { format: "car", "no-pin": "true", "stream-channels": "false" };
    for (const [name, value] of Object.entries(settings)) query.set(name, value);
    const path = `/add?${query.toString()}`;
    const { headers, body } = carForm(car);
    const request = { ...this.#request("POST", path, `adding ${cid}`, call), headers, body };
    const added = (await this.#value(request, z.array(addedCar).nullable()))?.at(-1);
    if (added !== undefined) return added;
    throw new EngineError("UNAVAILABLE", `${request.doing}: the cluster added nothing`);
  }

  /** Has the node of each peer drop what no pin needs: answers when all have, in hours perhaps. */
  async collectGarbage(call: Call): Promise<readonly PeerGarbage[]> {
    const request = this.#request("POST", "/ipfs/gc", "collecting garbage", call);
    const answer = await this.#patient.ask(request);
    if (!answer.ok) throw await refusal(answer, request);
    const peers = await readPeerGarbage(answer.bytes());
    if (peers === undefined || peers.length === 0) throw strangeError(request.doing, service);
    return peers;
  }

  close(): void {
    this.#patient.close();
    this.#service.close();
  }

  #request(method: HttpRequest["method"], path: string, act: string, call: Call): HttpRequest {
    return { method, path, doing: `${this.#backend}: ${act}`, signal: call.signal };
  }

  async #value<Value>(request: HttpRequest, schema: z.ZodType<Value>): Promise<Value> {
    return await this.#parsed(await this.#service.ask(request), request, schema);
  }

  async #parsed<Value>(
    answer: HttpAnswer,
    request: HttpRequest,
    schema: z.ZodType<Value>,
  ): Promise<Value> {
    if (!answer.ok) throw await refusal(answer, request);
    const parsed = schema.safeParse(await answer.json());
    if (!parsed.success) throw strangeError(request.doing, service);
    return parsed.data;
  }

  /** One value a line; none at all when the status is 204. */
  async *#stream<Value>(request: HttpRequest, schema: z.ZodType<Value>): AsyncGenerator<Value> {
    const answer = await this.#service.ask(request);
    if (!answer.ok) throw await refusal(answer, request);
    // 204 stands for none at all: then there are no lines.
    for await (const line of jsonLines(answer.bytes(), request.doing)) {
      const parsed = schema.safeParse(line);
      if (!parsed.success) throw strangeError(request.doing, service);
      yield parsed.data;
    }
  }

  async #absent(answer: HttpAnswer, request: HttpRequest): Promise<undefined> {
    const said = refusalBody.safeParse(await answer.json());
    if (said.success && said.data.message.includes("not part of the pinset")) return undefined;
    throw strangeError(request.doing, service);
  }
}

export type ClusterPeer = z.output<typeof clusterPeer>;
export type AddedCar = z.output<typeof addedCar>;

const clusterPeer = z.object({
  id: z.string(),
  peername: z.string().default(""),
  error: z.string().default(""),
  /** Its IPFS node; of a peer that does not answer without an ID. */
  ipfs: z.object({ id: z.string().default("") }).default({ id: "" }),
});
const alert = z.object({ name: z.string(), peer: z.string() });
const metric = z.object({ peer: z.string(), value: z.string(), valid: z.boolean() });
const addedCar = z.object({
  cid: z.string(),
  allocations: z
    .array(z.string())
    .nullish()
    .transform((value) => value ?? []),
});
const refusalBody = z.object({ code: z.number(), message: z.string() });

async function refusal(answer: HttpAnswer, { doing }: HttpRequest): Promise<EngineError> {
  const said = refusalBody.safeParse(await answer.json());
  return refusedError(answer, doing, said.success ? said.data.message : "");
}

function pinQuery(pin: PinRequest): URLSearchParams {
  const query = new URLSearchParams({ name: pin.name });
  // The cluster's own settings count where nothing is said.
  if (pin.replicationMin !== 0) query.set("replication-min", String(pin.replicationMin));
  if (pin.replicationMax !== 0) query.set("replication-max", String(pin.replicationMax));
  if (pin.allocations.length > 0) query.set("user-allocations", pin.allocations.join(","));
  if ((pin.origins ?? []).length > 0) query.set("origins", (pin.origins ?? []).join(","));
  for (const [key, value] of Object.entries(pin.metadata)) query.set(`meta-${key}`, value);
  return query;
}
