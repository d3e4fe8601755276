import { CarBufferReader } from "@ipld/car/buffer-reader";
import { CID } from "multiformats/cid";
import { joinedPieces } from "#content/joined-pieces.ts";
import { EngineError } from "#model/engine-error.ts";

/** One block as a CAR carries it; nothing says yet that the bytes fit the CID. */
export interface CarBlock {
  readonly cid: CID;
  readonly bytes: Uint8Array;
}

export interface CarHandlers {
  onRoots(roots: readonly CID[]): void;
  /** `at` is where the bytes of the block begin, counted from the start of the input. */
  onBlock(block: CarBlock, at: number): void;
}

/** Blocks above 2 MiB cannot travel between IPFS nodes; some room for those written anyway. */
export const carBlockBytesMax = 4 * 1024 * 1024;
/** Some hundred thousand roots. */
const headerBytesMax = 4 * 1024 * 1024;
const varintBytesMax = 8;
const v2HeaderBytes = 40;

/**
 * Reads a CARv1, or the CARv1 inside a CARv2, from bytes that are pushed in as they come. Holds
 * one section at most: a length beyond the limit is an error, never an allocation (which is why
 * this is not left to a library). Malformed input throws CORRUPT.
 */
export class CarParser {
  readonly #handlers: CarHandlers;
  readonly #memory: (bytes: number) => Uint8Array;
  readonly #steps: Steps<void>;
  /** Bytes the parser waits for; undefined once it has seen all it wants. */
  #wanted: number | undefined;
  #pieces: Uint8Array[] = [];
  #held = 0;
  /** Bytes that were parsed. */
  #parsed = 0;
  /** Between two sections, where a CAR may end. */
  #complete = false;

  /** Blocks that come in pieces are put together in what `memory` gives for so many bytes. */
  constructor(
    handlers: CarHandlers,
    memory = (bytes: number): Uint8Array => Buffer.allocUnsafe(bytes),
  ) {
    this.#handlers = handlers;
    this.#memory = memory;
    this.#steps = this.#parse();
    this.#wanted = this.#steps.next().value ?? undefined;
  }

  update(bytes: Uint8Array): void {
    let rest = bytes;
    while (this.#wanted !== undefined) {
      const missing = this.#wanted - this.#held;
      if (rest.length < missing) {
        if (rest.length > 0) this.#pieces.push(rest);
        this.#held += rest.length;
        return;
      }
      this.#pieces.push(rest.subarray(0, missing));
      rest = rest.subarray(missing);
      const pieces = this.#pieces;
      this.#pieces = [];
      this.#held = 0;
      this.#parsed += this.#wanted;
      this.#wanted = this.#steps.next(pieces).value ?? undefined;
    }
  }

  /** To be called where the stream ended. */
  finish(): void {
    if (this.#wanted === undefined || (this.#complete && this.#held === 0)) return;
    throw malformed("it ends in the middle of a block");
  }

  /** Yields the number of bytes it needs next and is given exactly those, in pieces. */
  *#parse(): Steps<void> {
    const header = yield* this.#header();
    if (header.version === 2) {
      yield* this.#payloadOfV2();
      return;
    }
    this.#handlers.onRoots(header.roots);
    yield* this.#sections(Number.POSITIVE_INFINITY);
  }

  *#payloadOfV2(): Steps<void> {
    const fixed = joined(yield v2HeaderBytes);
    const view = new DataView(fixed.buffer, fixed.byteOffset, fixed.byteLength);
    const dataOffset = Number(view.getBigUint64(16, true));
    const dataSize = Number(view.getBigUint64(24, true));
    yield* skip(dataOffset - pragmaBytes - v2HeaderBytes);
    const header = yield* this.#header();
    if (header.version !== 1) throw malformed("the CAR inside the CARv2 has no version 1");
    this.#handlers.onRoots(header.roots);
    yield* this.#sections(dataSize - header.bytes);
  }

  *#header(): Steps<CarHeader> {
    const length = yield* varint("header", headerBytesMax);
    const block = joined(yield length.value);
    if (Buffer.compare(block, v2Pragma) === 0) {
      return { version: 2, roots: [], bytes: length.bytes + block.length };
    }
    const whole = Buffer.concat([length.encoded, block]);
    try {
      const roots = CarBufferReader.fromBytes(whole).getRoots();
      return { version: 1, roots, bytes: whole.length };
    } catch (thrown) {
      throw malformed("its header cannot be read", thrown);
    }
  }

  *#sections(bytes: number): Steps<void> {
    for (let rest = bytes; rest > 0;) {
      this.#complete = bytes === Number.POSITIVE_INFINITY;
      const length = yield* varint("block", Math.min(rest, carBlockBytesMax), () => {
        this.#complete = false;
      });
      const block = decodeSection(yield length.value, this.#memory);
      this.#handlers.onBlock(block, this.#parsed - block.bytes.length);
      rest -= length.bytes + length.value;
    }
  }
}

/** Parsing, as far as it has come. */
type Steps<Result> = Generator<number, Result, readonly Uint8Array[]>;

interface CarHeader {
  readonly version: 1 | 2;
  readonly roots: readonly CID[];
  readonly bytes: number;
}

interface Varint {
  readonly value: number;
  readonly bytes: number;
  readonly encoded: Uint8Array;
}

/** The CBOR map {"version": 2} with which every CARv2 begins, after its length. */
const v2Pragma = Buffer.from("a16776657273696f6e02", "hex");
const pragmaBytes = v2Pragma.length + 1;

function* varint(what: string, max: number, onFirst?: () => void): Steps<Varint> {
  const encoded: number[] = [];
  let value = 0;
  for (let byte = 0x80; byte >= 0x80;) {
    [[byte = 0] = []] = yield 1;
    if (encoded.length === 0) onFirst?.();
    value += (byte & 0x7f) * 2 ** (7 * encoded.length);
    encoded.push(byte);
    if (value > max || encoded.length > varintBytesMax) {
      throw malformed(`a ${what} claims to be longer than ${max} bytes`);
    }
  }
  if (value === 0) throw malformed(`a ${what} of no bytes`);
  return { value, bytes: encoded.length, encoded: Uint8Array.from(encoded) };
}

function* skip(bytes: number): Steps<void> {
  if (bytes < 0) throw malformed("the offset in its CARv2 header is wrong");
  for (let rest = bytes; rest > 0; rest -= headerBytesMax) yield Math.min(rest, headerBytesMax);
}

/** A block that comes apart from its CID, as our own CARs have it, is not copied. */
function decodeSection(
  pieces: readonly Uint8Array[],
  memory: (bytes: number) => Uint8Array,
): CarBlock {
  const [head, body] = pieces;
  if (head !== undefined && body !== undefined && pieces.length === 2 && isAlone(head)) {
    return { cid: CID.decode(head), bytes: body };
  }
  try {
    const [cid, bytes] = CID.decodeFirst(joinedPieces(pieces, memory));
    return { cid, bytes };
  } catch (thrown) {
    throw malformed("a block has no valid CID", thrown);
  }
}

/** Whether these bytes are a CID and nothing else. */
function isAlone(head: Uint8Array): boolean {
  try {
    return CID.inspectBytes(head).size === head.length;
  } catch {
    return false;
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  return joinedPieces(pieces, (bytes) => Buffer.allocUnsafe(bytes));
}

function malformed(what: string, cause?: unknown): EngineError {
  return new EngineError("CORRUPT", `this is not an intact CAR: ${what}`, {
    hint: "restore it from another copy",
    cause,
  });
}
