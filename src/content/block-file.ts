import { type FileHandle, open } from "node:fs/promises";
import type { CID } from "multiformats/cid";
import { blockIdentity } from "#content/car-checker.ts";
import { type CarBlock, type CarHandlers, CarParser } from "#content/car-parser.ts";
import { checkBlockElsewhere } from "#content/check-block.ts";
import { SectionMemory } from "#content/section-memory.ts";
import { writePieces } from "#content/write-pieces.ts";
import type { ByteStream } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";

/** Where blocks can be had by their CIDs. */
export interface BlockSource {
  has(cid: CID): boolean;
  /** Bytes of a block that is there. */
  sizeOf(cid: CID): number;
  /** NOT_FOUND when there is none. `memory` gives room for so many bytes; without it, it is new. */
  get(cid: CID, memory?: (bytes: number) => Uint8Array): Promise<Uint8Array>;
}

const identityCode = 0;
const pieceBytes = 1024 * 1024;
/** Blocks that are being checked while the next come: no more memory than these is held. */
const aheadMax = 4;

/**
 * Blocks in a file, found by CID: those of a CAR where it lies, or those of CARs that passed, each
 * once. Every block was checked against its CID. Remembers some two hundred bytes per block.
 */
export class BlockFile implements BlockSource, AsyncDisposable {
  readonly #file: FileHandle;
  readonly #places = new Map<string, Place>();
  #end = 0;
  #writeFailure: unknown;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Finds the blocks of a CAR on disk, without moving them. */
  static async ofCar(path: string): Promise<{ blocks: BlockFile; roots: readonly CID[] }> {
    const blocks = new BlockFile(await open(path, "r"));
    try {
      const roots = await blocks.#parse(blocks.#stored(), (found) => found.map(({ at }) => at));
      return { blocks, roots };
    } catch (thrown) {
      await blocks.#file.close();
      throw thrown;
    }
  }

  /** Makes an empty one, in a new file. */
  static async create(path: string): Promise<BlockFile> {
    return new BlockFile(await open(path, "wx+", 0o600));
  }

  /** Bytes of its blocks. */
  get bytes(): number {
    return this.#end;
  }

  /** Why the file cannot be written, as the system says it: no CAR is to blame for that. */
  get writeFailure(): unknown {
    return this.#writeFailure;
  }

  /** Takes what it lacks out of a CAR that passes. What was taken before an error stays. */
  async take(car: ByteStream): Promise<readonly CID[]> {
    return await this.#parse(car, async (blocks) => {
      const first = this.#end;
      const pieces = blocks.map(({ bytes }) => bytes);
      await writePieces(this.#file, pieces, first).catch((thrown: unknown) => {
        this.#writeFailure = thrown;
        throw thrown;
      });
      let at = first;
      return blocks.map(({ bytes }) => (at += bytes.length) - bytes.length);
    });
  }

  has(cid: CID): boolean {
    return cid.multihash.code === identityCode || this.#places.has(blockIdentity(cid));
  }

  sizeOf(cid: CID): number {
    return this.#places.get(blockIdentity(cid))?.bytes ?? cid.multihash.digest.length;
  }

  async get(
    cid: CID,
    memory = (bytes: number): Uint8Array => Buffer.allocUnsafe(bytes),
  ): Promise<Uint8Array> {
    if (cid.multihash.code === identityCode) return cid.multihash.digest;
    const place = this.#places.get(blockIdentity(cid));
    if (place === undefined) {
      throw new EngineError("NOT_FOUND", `the block ${cid.toString()} is missing`);
    }
    const bytes = memory(place.bytes);
    for (let filled = 0; filled < bytes.length;) {
      const at = place.at + filled;
      const { bytesRead } = await this.#file.read(bytes, filled, bytes.length - filled, at);
      if (bytesRead === 0) throw new EngineError("CONFLICT", "a CAR was cut off while it was read");
      filled += bytesRead;
    }
    return bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }

  /**
   * Notes where the blocks of a CAR are that were not there before, each once it is checked. Large
   * ones are checked by other threads while the next come.
   */
  async #parse(car: ByteStream, keep: KeepBlocks): Promise<readonly CID[]> {
    let found: readonly CID[] = [];
    const memory = new SectionMemory();
    const waiting: PassingBlock[] = [];
    const handlers: CarHandlers = {
      onRoots: (roots) => void (found = roots),
      onBlock: (block, at) => {
        const checking = checkBlockElsewhere(block);
        // Its failure is met when its turn comes.
        checking?.catch(() => undefined);
        waiting.push({ identity: blockIdentity(block.cid), block, at, checking });
      },
    };
    const parser = new CarParser(handlers, (bytes) => memory.take(bytes));
    // What passed is kept, also where the next does not.
    const settle = async (left: number): Promise<void> => {
      const passed: PassingBlock[] = [];
      try {
        for (let [next] = waiting; next && waiting.length > left; [next] = waiting) {
          await next.checking;
          passed.push(next);
          waiting.shift();
        }
      } finally {
        await this.#note(passed, keep);
        for (const { block } of passed) memory.give(block.bytes);
      }
    };
    try {
      for await (const bytes of car) {
        parser.update(bytes);
        if (waiting.length > aheadMax) await settle(aheadMax);
      }
    } finally {
      await settle(0);
    }
    parser.finish();
    return found;
  }

  /** Keeps those blocks that are not here yet. */
  async #note(passed: readonly PassingBlock[], keep: KeepBlocks): Promise<void> {
    const fresh = new Map<string, PassingBlock>();
    for (const one of passed) {
      const isHere = this.#places.has(one.identity) || fresh.has(one.identity);
      if (!isHere && one.block.cid.multihash.code !== identityCode) fresh.set(one.identity, one);
    }
    const kept = [...fresh.values()];
    const places = await keep(kept.map(({ block: { bytes }, at }) => ({ bytes, at })));
    for (const [number, { identity, block }] of kept.entries()) {
      const { length } = block.bytes;
      this.#places.set(identity, { at: places[number] ?? 0, bytes: length });
      this.#end += length;
    }
  }

  async *#stored(): ByteStream {
    for (let at = 0; ;) {
      const buffer = Buffer.allocUnsafe(pieceBytes);
      const { bytesRead } = await this.#file.read(buffer, 0, pieceBytes, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }
}

interface Place {
  readonly at: number;
  readonly bytes: number;
}

/** A block that is being checked, and where it began in its CAR. */
interface PassingBlock {
  readonly identity: string;
  readonly block: CarBlock;
  readonly at: number;
  readonly checking: Promise<void> | undefined;
}

/** Puts blocks where they can be read; says where each is. */
type KeepBlocks = (
  blocks: readonly { readonly bytes: Uint8Array; readonly at: number }[],
) => readonly number[] | Promise<readonly number[]>;
