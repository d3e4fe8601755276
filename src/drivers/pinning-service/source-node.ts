import { z } from "zod";
import type { ByteStream, CallOptions } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { carForm } from "#drivers/contract/car-form.ts";
import type { HttpAnswer } from "#drivers/contract/http-answer.ts";
import { refusedError, strangeError } from "#drivers/contract/http-error.ts";
import type { HttpRequest, HttpService } from "#drivers/contract/http-service.ts";
import { jsonLines } from "#drivers/contract/json-lines.ts";

/** What is lent to a service lies here, where no garbage collection and no pin touches it. */
const folder = "/thermocline-lent";
const lentPin = "thermocline-lent";
const service = "the RPC API of an IPFS node";

/**
 * The IPFS node from which a pinning service fetches. What it does not keep itself is lent to it
 * for so long, in a folder of its own (MFS): its pins are others' and are left alone.
 */
export class SourceNode {
  readonly #backend: string;
  readonly #service: HttpService;

  constructor(backend: string, http: HttpService) {
    this.#backend = backend;
    this.#service = http;
  }

  /** Whether it pins the content, so that nothing needs to be brought there. */
  async keeps(cid: string, call: CallOptions): Promise<boolean> {
    const query = { arg: cid, type: "recursive" };
    const answer = await this.#answer("pin/ls", query, `looking for ${cid} on the node`, call);
    if (answer.ok) {
      await answer.discard();
      return true;
    }
    const words = await wordsOf(answer);
    if (words.includes("is not pinned")) return false;
    throw refusedError(answer, `${this.#backend}: looking for ${cid} on the node`, words);
  }

  /** Brings content there and keeps it until it is taken back. Throws where the body does. */
  async lend(cid: string, car: ByteStream, call: CallOptions): Promise<void> {
    const doing = `${this.#backend}: bringing ${cid} to the node`;
    const query = { "pin-roots": "false", "allow-big-block": "false" };
    const answer = await this.#answer(
      "dag/import",
      query,
      `bringing ${cid} to the node`,
      call,
      car,
    );
    if (!answer.ok) throw refusedError(answer, doing, await wordsOf(answer));
    for await (const _ of jsonLines(answer.bytes(), doing));
    if (await this.#isLent(cid, call)) return;
    const copying = { parents: "true" };
    const path = `files/cp?arg=${encodeURIComponent(`/ipfs/${cid}`)}&arg=${lentAt(cid)}`;
    const kept = await this.#answer(path, copying, `keeping ${cid} on the node`, call);
    if (kept.ok) return await kept.discard();
    const words = await wordsOf(kept);
    // Another writer of the same content was faster.
    if (words.includes("already has entry")) return;
    // A folder takes files and directories only; other data is held by a pin that says whose it is.
    if (!words.includes("valid UnixFS")) throw refusedError(kept, doing, words);
    const pinning = { arg: cid, recursive: "true", name: lentPin };
    await (await this.#ask("pin/add", pinning, `keeping ${cid} on the node`, call)).discard();
  }

  /** Takes back what was lent; harmless when nothing was. */
  async takeBack(cid: string, call: CallOptions): Promise<void> {
    if (!(await this.#isLent(cid, call))) return await this.#unpinLent(cid, call);
    const query = { arg: `${folder}/${cid}`, recursive: "true", force: "true" };
    await (await this.#ask("files/rm", query, `taking ${cid} back`, call)).discard();
  }

  /** Pins of others, which have other names, stay. */
  async #unpinLent(cid: string, call: CallOptions): Promise<void> {
    const query = { arg: cid, type: "recursive", names: "true" };
    const doing = `taking ${cid} back`;
    const answer = await this.#answer("pin/ls", query, doing, call);
    const pins = namedPins.safeParse(await answer.json());
    const isOurs = pins.success && pins.data.Keys[cid]?.Name === lentPin;
    if (answer.ok && isOurs) await (await this.#ask("pin/rm", { arg: cid }, doing, call)).discard();
  }

  /** Where others find the node; its loopback addresses only when it has no others. */
  async addresses(call: CallOptions): Promise<readonly string[]> {
    const doing = "asking the node for its addresses";
    const answer = await this.#ask("id", {}, doing, call);
    const found = identity.safeParse(await answer.json());
    if (!found.success) throw strangeError(`${this.#backend}: ${doing}`, service);
    const { Addresses: all } = found.data;
    const reachable = all.filter((one) => !/^\/ip4\/127\.|^\/ip6\/::1\//.test(one));
    return reachable.length > 0 ? reachable : all;
  }

  /** Connects to the nodes that will fetch; those that cannot be reached may come by themselves. */
  async connect(delegates: readonly string[], call: CallOptions): Promise<void> {
    for (const delegate of delegates) {
      const answer = await this.#answer("swarm/connect", { arg: delegate }, "connecting", call);
      await answer.discard().catch((thrown: unknown) => {
        if (EngineError.from(thrown).code === "CANCELLED") throw thrown;
      });
    }
  }

  close(): void {
    this.#service.close();
  }

  async #isLent(cid: string, call: CallOptions): Promise<boolean> {
    const query = { arg: `${folder}/${cid}`, hash: "true" };
    const answer = await this.#answer("files/stat", query, `looking for ${cid}`, call);
    if (!answer.ok) await answer.text();
    else await answer.discard();
    return answer.ok;
  }

  async #ask(
    command: string,
    query: Readonly<Record<string, string>>,
    doing: string,
    call: CallOptions,
  ): Promise<HttpAnswer> {
    const answer = await this.#answer(command, query, doing, call);
    if (answer.ok) return answer;
    throw refusedError(answer, `${this.#backend}: ${doing}`, await wordsOf(answer));
  }

  #answer(
    command: string,
    query: Readonly<Record<string, string>>,
    doing: string,
    { signal }: CallOptions,
    car?: ByteStream,
  ): Promise<HttpAnswer> {
    const rest = new URLSearchParams(query).toString();
    const path = `/api/v0/${command}${command.includes("?") ? "&" : "?"}${rest}`;
    const request: HttpRequest = {
      method: "POST",
      path,
      doing: `${this.#backend}: ${doing}`,
      signal,
      ...(car === undefined ? {} : carForm(car)),
    };
    return this.#service.ask(request);
  }
}

const identity = z.object({ Addresses: z.array(z.string()) });
const namedPins = z.object({
  Keys: z.record(z.string(), z.object({ Name: z.string().optional() })),
});
const refusal = z.object({ Message: z.string() });

async function wordsOf(answer: HttpAnswer): Promise<string> {
  const said = refusal.safeParse(await answer.json());
  return said.success ? said.data.Message : "";
}

function lentAt(cid: string): string {
  return encodeURIComponent(`${folder}/${cid}`);
}
