import { createHash } from "node:crypto";

/** A file whose import the engine has confirmed: from then on it answers for it. */
export interface Confirmed {
  readonly sha256: string;
  /** The policy deletes it in time. */
  readonly isScratch: boolean;
}

/** Our own record of what was handed over, by name, apart from all that the engine keeps. */
export class ImportBook {
  readonly #confirmed = new Map<string, Confirmed>();

  /** Notes files whose import was confirmed as a whole. */
  confirm(files: ReadonlyMap<string, Buffer>, isScratch: boolean): void {
    for (const [path, bytes] of files) {
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      this.#confirmed.set(path, { sha256, isScratch });
    }
  }

  get size(): number {
    return this.#confirmed.size;
  }

  [Symbol.iterator](): Iterator<[string, Confirmed]> {
    return this.#confirmed.entries();
  }
}
