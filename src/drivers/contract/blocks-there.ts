import { CID } from "multiformats/cid";
import type { CarBlock } from "#content/car-parser.ts";
import { EngineError } from "#model/engine-error.ts";

/** Smaller objects and blocks are sent again sooner than they are asked for. */
const objectBytesMin = 8 * 1024 * 1024;
const blockBytesMin = 64 * 1024;
/** So many blocks in a row that are not there: nobody has sent the object before … */
const missesFirst = 4;
/** … or here is where it broke off, but for blocks that were on their way together. */
const missesAfter = 256;
const confirmedTogether = 8;

/**
 * Finds out which blocks of an object a service has from an earlier try, so that they are not sent
 * again. Asks only while it finds some. What is there is not known to be right: the check after
 * the write says so, as of everything.
 */
export class BlocksThere {
  readonly #look: (cid: string, bytes: number) => Promise<boolean>;
  readonly #found: { readonly cid: Uint8Array; readonly bytes: number }[] = [];
  #misses = 0;
  #missesMax = missesFirst;

  /** `look` may throw: nothing is known then. */
  constructor(size: number, look: (cid: string, bytes: number) => Promise<boolean>) {
    this.#look = look;
    if (size < objectBytesMin) this.#missesMax = 0;
  }

  /** Whether it is worth while to go on asking. */
  get isAsking(): boolean {
    return this.#misses < this.#missesMax;
  }

  /** Blocks that were there. */
  get found(): number {
    return this.#found.length;
  }

  /** Whether a block is there; false where that is not known. */
  async has({ cid, bytes: { length: bytes } }: CarBlock): Promise<boolean> {
    if (bytes < blockBytesMin) return false;
    const isThere = await this.#look(cid.toString(), bytes).catch(() => this.#stop());
    if (isThere) {
      // A copy: the CID of a block that was parsed holds on to all of its bytes.
      this.#found.push({ cid: new Uint8Array(cid.bytes), bytes });
      this.#misses = 0;
      this.#missesMax = missesAfter;
    } else this.#misses += 1;
    return isThere;
  }

  /**
   * Throws UNAVAILABLE when some of them have gone since: nobody needs them yet, so that the service
   * may have dropped them. To be called before it is told that all have come: what is absent then
   * it may look for in the network for ever.
   */
  async confirm(): Promise<void> {
    const waiting = this.#found.values();
    const confirmInTurn = async (): Promise<void> => {
      for (const { cid, bytes } of waiting) {
        const text = CID.decode(cid).toString();
        if (await this.#look(text, bytes)) continue;
        const message = `block ${text} of an earlier try was dropped meanwhile`;
        throw new EngineError("UNAVAILABLE", message, { hint: "the next try sends it again" });
      }
    };
    await Promise.all(Array.from({ length: confirmedTogether }, confirmInTurn));
  }

  #stop(): boolean {
    this.#missesMax = 0;
    return false;
  }
}
