import type { ObjectRef } from "#model/copy.ts";
import type { ByteStream, DriverContext } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { dagPbCode, parseCid, rawCode } from "#content/cid.ts";
import { strangeError } from "#drivers/contract/http-error.ts";
import type {
  BlockStat,
  Collected,
  Dropped,
  FilesStat,
  Imported,
  ImportedRoot,
  Pin,
  Pulled,
  Walked,
} from "#drivers/kubo/kubo-answers.ts";
import { kuboError, saysNotPinned, unreadableDag } from "#drivers/kubo/kubo-error.ts";
import type { KuboOptions } from "#drivers/kubo/kubo-options.ts";
import { type Filling, type KuboRpc, openRpc } from "#drivers/kubo/kubo-rpc.ts";

/**
 * The oldest version that is spoken to. Older ones do not write a block that they have already,
 * so that a damaged one could not be repaired (`Datastore.WriteThrough`, since v0.35).
 */
const oldestVersion = [0, 35] as const;

/** No block for this long: those who have them are not connected. */
const pullSilenceMs = 20_000;

type Signal = AbortSignal | undefined;

/** What a root is, as its own block says. */
export interface RootFacts {
  /** Bytes of all blocks; those that a file repeats count each time. */
  readonly bytes: number;
  /** Bytes of the file; of what is no file, of its blocks. Undefined where they are unreadable. */
  readonly size: number | undefined;
}

export interface NodeRoom {
  readonly usedBytes: number;
  /** What its owner lets it hold: `Datastore.StorageMax`. */
  readonly maxBytes: number;
}

/** An IPFS node: the few questions that the driver asks it. Nothing here reaches the network. */
export class KuboNode {
  /** Where it is asked. */
  readonly rpc: string;
  readonly #backend: string;
  readonly #rpc: KuboRpc;
  #server: Promise<string> | undefined;

  constructor(context: DriverContext<KuboOptions>) {
    this.#backend = context.backend;
    this.rpc = context.options.rpc;
    this.#rpc = openRpc(context);
  }

  /** Name and version, once it was seen that we can work with it. */
  async server(signal: Signal): Promise<string> {
    const asking = this.#server ?? this.askServer(signal);
    // What one caller cannot find out is asked again by the next.
    asking.then(
      () => (this.#server = asking),
      () => undefined,
    );
    return await asking;
  }

  /** The same, asked anew. */
  async askServer(signal: Signal): Promise<string> {
    const doing = `asking for the version of ${this.#backend}`;
    const { Version: version = "" } = await this.#rpc.value<{ readonly Version?: string }>(
      "version",
      {},
      { doing, signal },
    );
    const [major = 0, minor = 0] = version.split(".").map(Number);
    const [oldestMajor, oldestMinor] = oldestVersion;
    if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) {
      return `Kubo ${version}`;
    }
    const message = `${this.#backend}: Kubo ${version || "of unknown version"} is too old`;
    throw new EngineError("NOT_SUPPORTED", message, {
      hint: `update the node to Kubo ${oldestVersion.join(".")} or newer`,
    });
  }

  /** Its peer ID: whoever knows it by another address means the same node. */
  async peer(signal: Signal): Promise<string> {
    const doing = `asking ${this.#backend} who it is`;
    const { ID: id } = await this.#rpc.value<{ readonly ID?: string }>("id", {}, { doing, signal });
    if (id !== undefined && id !== "") return id;
    throw strangeError(doing, "Kubo");
  }

  /** Whether the node pins these roots recursively, every one of them. */
  async isPinned(cids: string | readonly string[], signal: Signal): Promise<boolean> {
    await this.server(signal);
    try {
      const doing = `looking for ${wordsFor(cids)} at ${this.#backend}`;
      const parameters = { arg: cids, type: "recursive", offline: true };
      await this.#rpc.value("pin/ls", parameters, { doing, signal });
      return true;
    } catch (error) {
      if (saysNotPinned(error)) return false;
      throw error;
    }
  }

  /** What a pinned root is; of one whose blocks cannot be read, 0 bytes and no size. */
  async facts(cid: string, signal: Signal): Promise<RootFacts> {
    const { code } = parseCid(cid);
    const asked = code === dagPbCode || code === rawCode ? this.#unixfs(cid, signal) : undefined;
    const found = await orUndefined(asked, cid);
    if (found !== undefined) {
      const { Type: type, Size: size, CumulativeSize: bytes } = found;
      return { bytes, size: type === "file" ? size : bytes };
    }
    // No UnixFS: only the blocks themselves tell.
    const bytes = await orUndefined(this.dagBytes(cid, signal), cid);
    return { bytes: bytes ?? 0, size: bytes };
  }

  /** Has the node walk all blocks below a root. Bytes of the distinct ones. */
  async dagBytes(cid: string, signal: Signal): Promise<number> {
    const { TotalSize: bytes = 0 } = await this.#walk(cid, signal);
    return bytes;
  }

  /** The same for many roots, each by itself, in their order. Fails where a block is absent. */
  async dagSizes(cids: readonly string[], signal: Signal): Promise<readonly number[]> {
    const { DagStats: all = [] } = await this.#walk(cids, signal);
    if (all.length === cids.length) return all.map(({ Size: bytes = 0 }) => bytes);
    const doing = `walking ${wordsFor(cids)} at ${this.#backend}`;
    throw new EngineError("UNAVAILABLE", `${doing}: the node told of ${all.length}`);
  }

  /** One block, not verified. */
  async block(cid: string, signal: Signal): Promise<Uint8Array> {
    const doing = `reading block ${cid} at ${this.#backend}`;
    const parameters = { arg: cid, offline: true };
    const stream = await this.#rpc.bytes("block/get", parameters, { doing, signal });
    return Buffer.concat(await Array.fromAsync(stream));
  }

  /** Bytes of a block that the node says it has; undefined when it has none. */
  async blockBytes(cid: string, signal: Signal): Promise<number | undefined> {
    const doing = `looking for block ${cid} at ${this.#backend}`;
    const parameters = { arg: cid, offline: true };
    try {
      const found = await this.#rpc.value<BlockStat>("block/stat", parameters, { doing, signal });
      return found.Size;
    } catch (error) {
      if (EngineError.from(error).code === "NOT_FOUND") return undefined;
      throw error;
    }
  }

  /** All blocks below a root, as a CAR; not verified. */
  async export(cid: string, signal: Signal): Promise<ByteStream> {
    const doing = `reading ${cid} from ${this.#backend}`;
    const parameters = { arg: cid, progress: false, offline: true };
    return await this.#rpc.bytes("dag/export", parameters, { doing, signal });
  }

  /** The bytes of these files, one after the other; not verified. Fails where one is absent. */
  async files(cids: readonly string[], signal: Signal): Promise<ByteStream> {
    const doing = `reading ${wordsFor(cids)} from ${this.#backend}`;
    const parameters = { arg: cids, progress: false, offline: true };
    return await this.#rpc.bytes("cat", parameters, { doing, signal });
  }

  /** The bytes of a file, for memory of the caller's; not verified. */
  async filling(cid: string, signal: Signal): Promise<Filling> {
    const doing = `reading ${cid} from ${this.#backend}`;
    const parameters = { arg: cid, progress: false, offline: true };
    return await this.#rpc.filling("cat", parameters, { doing, signal });
  }

  /** The bytes of a file from `start` up to `end`; not verified. */
  async file(
    cid: string,
    { start, end }: { readonly start: number; readonly end: number },
    signal: Signal,
  ): Promise<ByteStream> {
    const doing = `reading ${cid} from ${this.#backend}`;
    const part = { offset: String(start), length: String(end - start) };
    const parameters = { arg: cid, ...part, progress: false, offline: true };
    return await this.#rpc.bytes("cat", parameters, { doing, signal });
  }

  /**
   * Stores the blocks of a CAR and pins its roots, which the node does only when all blocks below
   * them are there. Throws CORRUPT unless just this object has been pinned.
   */
  async import({ cid }: ObjectRef, car: ByteStream, signal: Signal): Promise<void> {
    const doing = `writing ${cid} to ${this.#backend}`;
    const pinned: string[] = [];
    for await (const { Cid, PinErrorMsg } of this.roots(car, doing, signal)) {
      if (PinErrorMsg) throw unreadableDag(kuboError(PinErrorMsg, doing), cid);
      pinned.push(Cid["/"]);
    }
    if (pinned.length === 1 && pinned[0] === cid) return;
    throw new EngineError("CORRUPT", `${doing}: the node pinned ${pinned.join(", ") || "nothing"}`);
  }

  /** Stores the blocks of a CAR and pins its roots: what became of each. */
  async *roots(car: ByteStream, doing: string, signal: Signal): AsyncGenerator<ImportedRoot> {
    const parameters = { "pin-roots": true, silent: false };
    const call = { doing, signal, file: car, isLong: true };
    for await (const { Root: root } of this.#rpc.values<Imported>("dag/import", parameters, call)) {
      if (root !== undefined) yield root;
    }
  }

  /**
   * Has the node fetch what is below a root from nodes that it is connected with, and pin it.
   * NOT_SUPPORTED when nothing comes for a while: nobody it sees has the blocks.
   */
  async pull(cid: string, signal: Signal): Promise<void> {
    const doing = `fetching ${cid} to ${this.#backend}`;
    const stalled = new AbortController();
    const stop = (): void => stalled.abort(nobodyHasIt(doing));
    let timer = setTimeout(stop, pullSilenceMs);
    const both = signal === undefined ? stalled.signal : AbortSignal.any([signal, stalled.signal]);
    const call = { doing, signal: both, isLong: true };
    let fetched = -1;
    try {
      const parameters = { arg: cid, progress: true };
      for await (const { Progress: nodes, Pins: pins } of this.#rpc.values<Pulled>(
        "pin/add",
        parameters,
        call,
      )) {
        if (pins?.includes(cid)) return;
        if (nodes === undefined || nodes <= fetched) continue;
        fetched = nodes;
        clearTimeout(timer);
        timer = setTimeout(stop, pullSilenceMs);
      }
      throw new EngineError("UNAVAILABLE", `${doing}: the node did not say that it is pinned`);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Gives up a pin; false when there was none. Its blocks stay until the node collects garbage. */
  async unpin(cid: string, signal: Signal): Promise<boolean> {
    try {
      const doing = `unpinning ${cid} at ${this.#backend}`;
      await this.#rpc.value("pin/rm", { arg: cid, offline: true }, { doing, signal });
      return true;
    } catch (error) {
      if (saysNotPinned(error)) return false;
      throw error;
    }
  }

  /** Has the node forget a block. Throws CONFLICT when other pins need it. */
  async drop(cid: string, signal: Signal): Promise<void> {
    const doing = `dropping the damaged block ${cid} at ${this.#backend}`;
    const parameters = { arg: cid, force: true };
    for await (const { Error: words } of this.#rpc.values<Dropped>("block/rm", parameters, {
      doing,
      signal,
    })) {
      if (!words) continue;
      throw new EngineError("CONFLICT", `${doing}: ${words}`, {
        retryable: false,
        hint: "restart the node, so that it writes blocks again that it has; then repair again",
      });
    }
  }

  /** The roots of all recursive pins, as the node comes across them. */
  async *pins(signal: Signal): AsyncGenerator<NamedPin> {
    await this.server(signal);
    const doing = `listing the pins of ${this.#backend}`;
    const parameters = { type: "recursive", stream: true, names: true, offline: true };
    const call = { doing, signal, isLong: true };
    for await (const { Cid: cid, Name } of this.#rpc.values<Pin>("pin/ls", parameters, call)) {
      // An empty pinset may be answered with an empty value.
      if (cid !== undefined) yield { cid, name: Name ?? "" };
    }
  }

  async room(signal: Signal): Promise<NodeRoom> {
    const doing = `asking ${this.#backend} for its room`;
    const found = await this.#rpc.value<{ readonly RepoSize: number; readonly StorageMax: number }>(
      "repo/stat",
      { "size-only": true },
      { doing, signal },
    );
    return { usedBytes: found.RepoSize, maxBytes: found.StorageMax };
  }

  /** How many blocks the node holds, whoever needs them: it counts them. */
  async storedBlocks(signal: Signal): Promise<number> {
    const call = { doing: `counting the blocks of ${this.#backend}`, signal, isLong: true };
    const { NumObjects } = await this.#rpc.value<{ readonly NumObjects: number }>(
      "repo/stat",
      {},
      call,
    );
    return NumObjects;
  }

  /** The blocks that no pin needs, each as it is dropped. */
  async *collectGarbage(signal: Signal): AsyncGenerator<string> {
    const doing = `collecting the garbage of ${this.#backend}`;
    const call = { doing, signal, isLong: true };
    const parameters = { "stream-errors": true };
    let problem: string | undefined;
    for await (const { Key: key, Error: words } of this.#rpc.values<Collected>(
      "repo/gc",
      parameters,
      call,
    )) {
      if (words) problem ??= words;
      else if (key !== undefined) yield key["/"];
    }
    if (problem !== undefined) throw kuboError(problem, doing);
  }

  close(): void {
    this.#rpc.close();
  }

  async #walk(cids: string | readonly string[], signal: Signal): Promise<Walked> {
    const doing = `walking the blocks of ${wordsFor(cids)} at ${this.#backend}`;
    const parameters = { arg: cids, progress: false, offline: true };
    return await this.#rpc.value<Walked>("dag/stat", parameters, { doing, signal, isLong: true });
  }

  /** What its own block says of a root that is UnixFS. */
  async #unixfs(cid: string, signal: Signal): Promise<FilesStat> {
    const doing = `looking at ${cid} at ${this.#backend}`;
    const parameters = { arg: `/ipfs/${cid}`, offline: true };
    return await this.#rpc.value<FilesStat>("files/stat", parameters, { doing, signal });
  }
}

/** Undefined where the node cannot read the blocks it was asked about. */
async function orUndefined<Value>(
  asked: Promise<Value> | undefined,
  cid: string,
): Promise<Value | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (EngineError.from(unreadableDag(error, cid)).code === "CORRUPT") return undefined;
    throw error;
  }
}

function wordsFor(cids: string | readonly string[]): string {
  return typeof cids === "string" ? cids : `${cids.length} objects`;
}

function nobodyHasIt(doing: string): EngineError {
  return new EngineError("NOT_SUPPORTED", `${doing}: no block came for a while`, {
    hint: "connect the nodes of the swarm with each other (Peering.Peers)",
  });
}

/** A recursive pin, with the name that somebody gave it, or none. */
export interface NamedPin {
  readonly cid: string;
  readonly name: string;
}
