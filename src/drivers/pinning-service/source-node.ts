import { z } from "zod";
import type { ByteStream, CallOptions } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { SinglePiece } from "#model/single-piece.ts";
import { carForm } from "#drivers/contract/car-form.ts";
import type { HttpAnswer } from "#drivers/contract/http-answer.ts";
import { refusedError, strangeError } from "#drivers/contract/http-error.ts";
import type { HttpRequest, HttpService } from "#drivers/contract/http-service.ts";
import { jsonLines } from "#drivers/contract/json-lines.ts";
import { deniedByNode } from "#drivers/contract/node-rpc.ts";
import { lentName, lentWrapper } from "#drivers/contract/lent-wrapper.ts";

/** What is lent to a service lies here, where no garbage collection and no pin touches it. */
const folder = `/${lentName}`;
const service = "the RPC API of an IPFS node";

/**
 * The IPFS node from which a pinning service fetches. What it does not keep itself is lent to it
 * for so long, in a folder of its own (MFS), or by the pin of a wrapper. What is lent is itself
 * never pinned: its pins are copies, and others'. What other lenders lend is left alone.
 */
export class SourceNode {
  readonly #backend: string;
  readonly #lender: string;
  readonly #service: HttpService;

  /** `lender` tells those apart that lend from the same node. */
  constructor(backend: string, lender: string, http: HttpService) {
    this.#backend = backend;
    this.#lender = lender;
    this.#service = http;
  }

  /** Whether it pins the content, so that nothing needs to be brought there. */
  keeps(cid: string, call: CallOptions): Promise<boolean> {
    return this.#isPinned(cid, call);
  }

  /** Whether we lend it the content now. */
  async lends(cid: string, call: CallOptions): Promise<boolean> {
    return (await this.#isInFolder(cid, call)) || (await this.#isPinned(this.#wrapper(cid), call));
  }

  /** Brings content there and keeps it until it is taken back. Throws where the body does. */
  async lend(cid: string, car: ByteStream, call: CallOptions): Promise<void> {
    const doing = `bringing ${cid} to the node`;
    const query = { "pin-roots": "false", "allow-big-block": "false" };
    const answer = await this.#ask("dag/import", query, doing, call, car);
    for await (const _ of jsonLines(answer.bytes(), `${this.#backend}: ${doing}`));
    if (await this.#isInFolder(cid, call)) return;
    const copying = { parents: "true" };
    const path = `files/cp?arg=${encodeURIComponent(`/ipfs/${cid}`)}&arg=${this.#placeOf(cid)}`;
    const keeping = `keeping ${cid} on the node`;
    const kept = await this.#answer(path, copying, keeping, call);
    if (kept.ok) return await kept.discard();
    const words = await wordsOf(kept);
    // Another writer of the same content was faster.
    if (words.includes("already has entry")) return;
    // A folder takes files and directories only.
    if (!words.includes("valid UnixFS")) {
      throw refusedError(kept, `${this.#backend}: ${keeping}`, words);
    }
    const codecs = { "input-codec": "dag-cbor", "store-codec": "dag-cbor" };
    const putting = { ...codecs, pin: "true", offline: "true" };
    const { bytes } = lentWrapper(cid, this.#lender);
    const pinned = await this.#ask("dag/put", putting, keeping, call, new SinglePiece(() => bytes));
    await pinned.discard();
  }

  /** Takes back what was lent; harmless when nothing was. */
  async takeBack(cid: string, call: CallOptions): Promise<void> {
    const doing = `taking ${cid} back`;
    if (await this.#isInFolder(cid, call)) {
      const path = `files/rm?arg=${this.#placeOf(cid)}`;
      const query = { recursive: "true", force: "true" };
      return await (await this.#ask(path, query, doing, call)).discard();
    }
    const answer = await this.#answer("pin/rm", { arg: this.#wrapper(cid) }, doing, call);
    if (answer.ok) return await answer.discard();
    const words = await wordsOf(answer);
    if (saysNotPinned(words)) return;
    throw refusedError(answer, `${this.#backend}: ${doing}`, words);
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

  async #isInFolder(cid: string, call: CallOptions): Promise<boolean> {
    const path = `files/stat?arg=${this.#placeOf(cid)}`;
    const answer = await this.#answer(path, { hash: "true" }, `looking for ${cid}`, call);
    if (!answer.ok) await answer.text();
    else await answer.discard();
    return answer.ok;
  }

  async #isPinned(cid: string, call: CallOptions): Promise<boolean> {
    const query = { arg: cid, type: "recursive" };
    const doing = `looking for ${cid} on the node`;
    const answer = await this.#answer("pin/ls", query, doing, call);
    if (answer.ok) {
      await answer.discard();
      return true;
    }
    const words = await wordsOf(answer);
    if (saysNotPinned(words)) return false;
    throw refusedError(answer, `${this.#backend}: ${doing}`, words);
  }

  #placeOf(cid: string): string {
    return encodeURIComponent(`${folder}/${cid}-${this.#lender}`);
  }

  #wrapper(cid: string): string {
    return lentWrapper(cid, this.#lender).cid.toString();
  }

  async #ask(
    command: string,
    query: Readonly<Record<string, string>>,
    doing: string,
    call: CallOptions,
    file?: ByteStream,
  ): Promise<HttpAnswer> {
    const answer = await this.#answer(command, query, doing, call, file);
    if (answer.ok) return answer;
    throw refusedError(answer, `${this.#backend}: ${doing}`, await wordsOf(answer));
  }

  /** Throws where the node does not let us; who only connects goes on without. */
  async #answer(
    command: string,
    query: Readonly<Record<string, string>>,
    doing: string,
    { signal }: CallOptions,
    file?: ByteStream,
  ): Promise<HttpAnswer> {
    const rest = new URLSearchParams(query).toString();
    const path = `/${command}${command.includes("?") ? "&" : "?"}${rest}`;
    const request: HttpRequest = {
      method: "POST",
      path,
      doing: `${this.#backend}: ${doing}`,
      signal,
      ...(file === undefined ? {} : carForm(file)),
    };
    const answer = await this.#service.ask(request);
    if (answer.status !== 403 || command === "swarm/connect") return answer;
    const [name = command] = command.split("?", 1);
    throw await deniedByNode(answer, request.doing, name, "nodeAuthorization");
  }
}

const identity = z.object({ Addresses: z.array(z.string()) });
const refusal = z.object({ Message: z.string() });

async function wordsOf(answer: HttpAnswer): Promise<string> {
  const said = refusal.safeParse(await answer.json());
  return said.success ? said.data.Message : "";
}

function saysNotPinned(words: string): boolean {
  return words.includes("not pinned");
}
