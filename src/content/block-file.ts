import { type FileHandle, open } from "node:fs/promises";
import type { CID } from "multiformats/cid";
import { blockIdentity } from "#content/car-checker.ts";
import { CarParser } from "#content/car-parser.ts";
import { checkBlock } from "#content/check-block.ts";
import type { ByteStream } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";

/** Where blocks can be had by their CIDs. */
export interface BlockSource {
  has(cid: CID): boolean;
  /** Bytes of a block that is there. */
  sizeOf(cid: CID): number;
  /** NOT_FOUND when there is none. */
  get(cid: CID): Promise<Uint8Array>;
}

const identityCode = 0;
const pieceBytes = 1024 * 1024;

/**
 * Blocks in a file, found by CID: those of a CAR where it lies, or those of CARs that passed, each
 * once. Every block was checked against its CID. Remembers some two hundred bytes per block.
 */
export class BlockFile implements BlockSource, AsyncDisposable {
  readonly #file: FileHandle;
  readonly #places = new Map<string, Place>();
  #end = 0;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Finds the blocks of a CAR on disk, without moving them. */
  static async ofCar(path: string): Promise<{ blocks: BlockFile; roots: readonly CID[] }> {
    const blocks = new BlockFile(await open(path, "r"));
    try {
      return { blocks, roots: await blocks.#parse(blocks.#stored(), (at) => at) };
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

  /** Takes what it lacks out of a CAR that passes. What was taken before an error stays. */
  async take(car: ByteStream): Promise<readonly CID[]> {
    let pending: Uint8Array[] = [];
    let written = this.#end;
    const roots = await this.#parse(
      car,
      (_at, bytes) => {
        pending.push(bytes);
        return this.#end;
      },
      async () => {
        const taken = pending;
        pending = [];
        for (const bytes of taken) {
          await writeAll(this.#file, bytes, written);
          written += bytes.length;
        }
      },
    );
    return roots;
  }

  has(cid: CID): boolean {
    return cid.multihash.code === identityCode || this.#places.has(blockIdentity(cid));
  }

  sizeOf(cid: CID): number {
    return this.#places.get(blockIdentity(cid))?.bytes ?? cid.multihash.digest.length;
  }

  async get(cid: CID): Promise<Uint8Array> {
    if (cid.multihash.code === identityCode) return cid.multihash.digest;
    const place = this.#places.get(blockIdentity(cid));
    if (place === undefined) {
      throw new EngineError("NOT_FOUND", `the block ${cid.toString()} is missing`);
    }
    const bytes = Buffer.allocUnsafe(place.bytes);
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

  /** Notes where the blocks of a CAR are that were not there before. */
  async #parse(
    car: ByteStream,
    placeOf: (at: number, bytes: Uint8Array) => number,
    settle: () => Promise<void> = () => Promise.resolve(),
  ): Promise<readonly CID[]> {
    let found: readonly CID[] = [];
    const parser = new CarParser({
      onRoots: (roots) => void (found = roots),
      onBlock: (block, at) => {
        checkBlock(block);
        const identity = blockIdentity(block.cid);
        const isHere = this.#places.has(identity) || block.cid.multihash.code === identityCode;
        if (isHere) return;
        const { length } = block.bytes;
        this.#places.set(identity, { at: placeOf(at, block.bytes), bytes: length });
        this.#end += length;
      },
    });
    for await (const bytes of car) {
      try {
        parser.update(bytes);
      } finally {
        await settle();
      }
    }
    parser.finish();
    return found;
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

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    const rest = bytes.length - written;
    const { bytesWritten } = await file.write(bytes, written, rest, position + written);
    written += bytesWritten;
  }
}
