import type { ObjectRef } from "#model/copy.ts";
import type { CallOptions, GroupBytes, GroupCopy, ObjectGroups } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import type { Reservation } from "#drivers/contract/capacity.ts";
import { readBackEvidence } from "#drivers/contract/read-back-evidence.ts";
import { fileError } from "#drivers/local/file-error.ts";
import {
  emptyResults,
  type GroupQuestion,
  type GroupResults,
  groupState,
} from "#drivers/local/thread-question.ts";
import { workOnFiles } from "#drivers/local/file-threads.ts";
import { givePiece, losePiece, takePiece } from "#drivers/local/piece-memory.ts";
import type { StoreFolder } from "#drivers/local/store-folder.ts";
import { untilStopped } from "#drivers/local/until-stopped.ts";
import type { Usage } from "#drivers/local/usage.ts";

/**
 * Groups of small objects in a store: threads of their own do with blocking calls what promises
 * would do in several times the time, and no byte is copied between two local stores.
 */
export class LocalGroups implements ObjectGroups {
  readonly #backend: string;
  readonly #folder: StoreFolder;
  readonly #usage: Usage;

  constructor(backend: string, folder: StoreFolder, usage: Usage) {
    this.#backend = backend;
    this.#folder = folder;
    this.#usage = usage;
  }

  async readGroup(
    objects: readonly ObjectRef[],
    { signal }: CallOptions = {},
  ): Promise<GroupBytes> {
    const memory = takePiece();
    let at = 0;
    const bytes = objects.map(({ size }) => memory.subarray(at, (at += size)));
    const { states } = await this.#ask("read", objects, bytes, signal);
    const read = bytes.map((piece, number) =>
      states[number] === groupState.done ? piece : undefined,
    );
    return {
      bytes: read,
      [Symbol.dispose]: () => {
        givePiece(memory);
      },
    };
  }

  async storeGroup(
    objects: readonly ObjectRef[],
    bytes: readonly Uint8Array[],
    { signal }: CallOptions = {},
  ): Promise<readonly (GroupCopy | undefined)[]> {
    using room = await this.#room(bytes);
    if (room === undefined) return objects.map(() => undefined);
    const { states, shards, times } = areShared(bytes)
      ? await this.#ask("store", objects, bytes, signal)
      : await this.#askWithCopies(objects, bytes, signal);
    return objects.map((object, number) => {
      const { cid, size } = object;
      const state = states[number];
      if (state === undefined || state === groupState.left) return undefined;
      const shard = (shards[number] ?? 0).toString(16).padStart(3, "0");
      const moved = state === groupState.done;
      if (moved) this.#usage.changed(shard, size);
      const checkedAt = new Date(times[number] ?? 0);
      const evidence = readBackEvidence(this.#backend, object, checkedAt);
      const copy = { locator: `objects/${shard}/${cid}`, form: "file", bytes: size } as const;
      return { copy, evidence, moved };
    });
  }

  /** Undefined when there is no room for all: some may still fit alone. */
  async #room(bytes: readonly Uint8Array[]): Promise<Reservation | undefined> {
    try {
      return await this.#usage.reserve(bytes.reduce((sum, { length }) => sum + length, 0));
    } catch (thrown) {
      if (EngineError.from(thrown).code === "NO_SPACE") return undefined;
      throw fileError(thrown, "cannot count what is in", this.#folder.root);
    }
  }

  async #askWithCopies(
    objects: readonly ObjectRef[],
    bytes: readonly Uint8Array[],
    signal: AbortSignal | undefined,
  ): Promise<GroupResults> {
    const memory = takePiece();
    let at = 0;
    const copies = bytes.map((piece) => {
      const place = memory.subarray(at, (at += piece.length));
      place.set(piece);
      return place;
    });
    try {
      return await this.#ask("store", objects, copies, signal);
    } finally {
      givePiece(memory);
    }
  }

  /** The results so far when the thread has answered, or was told to stop and does not answer. */
  async #ask(
    act: GroupQuestion["act"],
    objects: readonly ObjectRef[],
    places: readonly Uint8Array[],
    signal: AbortSignal | undefined,
  ): Promise<GroupResults> {
    const results = emptyResults(objects.length);
    const buffer = places[0]?.buffer;
    const profile = objects[0]?.profile;
    if (buffer === undefined || profile === undefined || signal?.aborted === true) return results;
    const memory = new Uint8Array(buffer);
    const working = workOnFiles({
      act,
      root: this.#folder.root,
      durability: this.#folder.durability,
      cids: objects.map(({ cid }) => cid).join("\n"),
      profile,
      sizes: Uint32Array.from(objects, ({ size }) => size),
      places: Uint32Array.from(places, ({ byteOffset }) => byteOffset),
      memory,
      results,
    });
    const inTime = await untilStopped(working, signal, () => Atomics.store(results.stop, 0, 1));
    // Who still reads or fills this memory would meet what others put there.
    if (!inTime) losePiece(memory);
    return inTime ? results : emptyResults(objects.length);
  }
}

/** Whether all lie in one piece of memory that threads can see. */
function areShared(bytes: readonly Uint8Array[]): boolean {
  const buffer = bytes[0]?.buffer;
  return buffer instanceof SharedArrayBuffer && bytes.every((piece) => piece.buffer === buffer);
}
