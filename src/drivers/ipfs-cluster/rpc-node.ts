import { z } from "zod";
import type { ByteStream, CallOptions } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import type { HttpAnswer } from "#drivers/contract/http-answer.ts";
import { missingBlocks, toldMissing } from "#drivers/contract/gateway-reader.ts";
import { refusedError, strangeError } from "#drivers/contract/http-error.ts";
import type { HttpService } from "#drivers/contract/http-service.ts";
import { deniedByNode } from "#drivers/contract/node-rpc.ts";
import { notTooSlow } from "#drivers/contract/not-too-slow.ts";

/** The RPC API of one IPFS node behind a cluster. */
export class RpcNode {
  readonly url: string;
  readonly #backend: string;
  readonly #service: HttpService;
  #peer: string | undefined;

  constructor(backend: string, url: string, service: HttpService) {
    this.#backend = backend;
    this.url = url;
    this.#service = service;
  }

  /** Its peer ID; asked once. */
  async peer(call: CallOptions): Promise<string> {
    return this.#peer ?? (await this.askPeer(call));
  }

  /** The same, asked anew. */
  async askPeer(call: CallOptions): Promise<string> {
    const doing = `asking the node at ${this.url} who it is`;
    const answer = await this.#ask("id", {}, doing, call);
    const identity = z.object({ ID: z.string() }).safeParse(await answer.json());
    if (!identity.success) throw strangeError(doing, "the RPC API of an IPFS node");
    this.#peer = identity.data.ID;
    return this.#peer;
  }

  /** The content as a CAR; `offline` is what lies on this node itself. CORRUPT when some is not. */
  async exportCar(cid: string, offline: boolean, call: CallOptions): Promise<ByteStream> {
    const query = { arg: cid, progress: "false", offline: String(offline) };
    const doing = `reading ${cid}`;
    const answer = await this.#ask("dag/export", query, doing, call);
    const where = `${this.#backend}: ${doing}`;
    return toldMissing(notTooSlow(answer.bytes(), this.#service.idleTimeoutMs, where), where);
  }

  /** A block as it lies on this node, undefined when it does not. */
  async block(cid: string, call: CallOptions): Promise<Uint8Array | undefined> {
    try {
      const query = { arg: cid, offline: "true" };
      const answer = await this.#ask("block/get", query, `reading block ${cid}`, call);
      return Buffer.concat(await Array.fromAsync(answer.bytes()));
    } catch (thrown) {
      if (EngineError.from(thrown).code === "CORRUPT") return undefined;
      throw thrown;
    }
  }

  /** Whether this node says that it has a block of so many bytes. */
  async holds(cid: string, bytes: number, call: CallOptions): Promise<boolean> {
    const query = { arg: cid, offline: "true" };
    const answer = await this.#answer("block/stat", query, `looking for block ${cid}`, call);
    const found = blockStat.safeParse(await answer.json());
    return answer.ok && found.success && found.data.Size === bytes;
  }

  /** Takes a damaged block away, and before it the pin that holds it there. */
  async removeBlock(cid: string, root: string, call: CallOptions): Promise<void> {
    const doing = `taking the damaged block ${cid} off the node at ${this.url}`;
    const unpinning = await this.#answer("pin/rm", { arg: root }, doing, call);
    const words = unpinning.ok ? "" : await wordsOf(unpinning);
    if (unpinning.ok) await unpinning.discard();
    else if (!words.includes("not pinned")) throw refusedError(unpinning, doing, words);
    const answer = await this.#ask("block/rm", { arg: cid, force: "true" }, doing, call);
    // It answers with success, and with the error in it.
    const { Error: problem } = removal.catch({ Error: "" }).parse(await answer.json());
    if (problem === "") return;
    throw new EngineError("CONFLICT", `${this.#backend}: ${doing}: ${problem}`, {
      hint: "another pin shares this block: take that pin away first, then repair again",
    });
  }

  /** What this node holds, whoever needs it. It counts its blocks, which takes a while. */
  async room(call: CallOptions): Promise<NodeRoom> {
    const doing = `asking the node at ${this.url} what it holds`;
    const answer = await this.#ask("repo/stat", {}, doing, call);
    const found = repoStat.safeParse(await answer.json());
    if (!found.success) throw strangeError(doing, "the RPC API of an IPFS node");
    const { NumObjects: blocks, RepoSize: usedBytes, StorageMax: totalBytes } = found.data;
    return { blocks, usedBytes, totalBytes };
  }

  close(): void {
    this.#service.close();
  }

  async #ask(
    command: string,
    query: Readonly<Record<string, string>>,
    doing: string,
    call: CallOptions,
  ): Promise<HttpAnswer> {
    const answer = await this.#answer(command, query, doing, call);
    if (answer.ok) return answer;
    const where = `${this.#backend}: ${doing}`;
    if (answer.status === 403) {
      throw await deniedByNode(answer, where, command, "rpcAuthorization");
    }
    const words = await wordsOf(answer);
    throw missingBlocks(words, where) ?? refusedError(answer, where, words);
  }

  #answer(
    command: string,
    query: Readonly<Record<string, string>>,
    doing: string,
    { signal }: CallOptions,
  ): Promise<HttpAnswer> {
    const path = `/${command}?${new URLSearchParams(query).toString()}`;
    const request = { method: "POST", path, signal, doing: `${this.#backend}: ${doing}` } as const;
    return this.#service.ask(request);
  }
}

export interface NodeRoom {
  readonly blocks: number;
  readonly usedBytes: number;
  readonly totalBytes: number;
}

const repoStat = z.object({ NumObjects: z.number(), RepoSize: z.number(), StorageMax: z.number() });
const blockStat = z.object({ Size: z.number() });
const refusal = z.object({ Message: z.string() });
const removal = z.object({ Error: z.string().default("") });

async function wordsOf(answer: HttpAnswer): Promise<string> {
  const said = refusal.safeParse(await answer.json());
  return said.success ? said.data.Message : "";
}
