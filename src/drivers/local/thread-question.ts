import type { Durability } from "#drivers/local/store-folder.ts";

/** What a thread is asked to do with a group of objects of one store. */
export interface GroupQuestion {
  readonly act: "read" | "store";
  readonly root: string;
  readonly durability: Durability;
  /** With a line break between them: one text costs far less on its way than many. */
  readonly cids: string;
  readonly profile: string;
  readonly sizes: Uint32Array;
  /** Where in `memory` the bytes of each begin. */
  readonly places: Uint32Array;
  readonly memory: Uint8Array;
  readonly results: GroupResults;
}

/** What both sides see while the thread is at it. */
export interface GroupResults {
  /** Not 0: begin nothing more. */
  readonly stop: Int32Array;
  /** One `groupState` for each object. */
  readonly states: Uint8Array;
  /** In which shard each lies. */
  readonly shards: Uint16Array;
  /** When each was found intact, as milliseconds since 1970. */
  readonly times: Float64Array;
}

/** What became of an object: left to the caller, done, or done before. */
export const groupState = { left: 0, done: 1, known: 2 } as const;

/** Results of which nothing is known yet, where both sides see them. */
export function emptyResults(objects: number): GroupResults {
  const bytes = Float64Array.BYTES_PER_ELEMENT * objects;
  return {
    times: new Float64Array(new SharedArrayBuffer(bytes)),
    shards: new Uint16Array(new SharedArrayBuffer(Uint16Array.BYTES_PER_ELEMENT * objects)),
    states: new Uint8Array(new SharedArrayBuffer(objects)),
    stop: new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)),
  };
}

/** What a thread is asked to hash: the leaves of a part of a file. */
export interface LeafQuestion {
  readonly act: "hash";
  readonly path: string;
  readonly start: number;
  readonly end: number;
  /** Bytes of a leaf; the last one of a file may have fewer. */
  readonly chunkBytes: number;
  readonly results: LeafResults;
}

/** What both sides see while the thread is at it. */
export interface LeafResults {
  /** Not 0: begin nothing more. */
  readonly stop: Int32Array;
  /** How many leaves have their digest, from the first on. */
  readonly hashed: Int32Array;
  /** SHA-256 of each leaf, one after the other. */
  readonly digests: Uint8Array;
}

export const digestBytes = 32;

/** Room for the digests of so many leaves, where both sides see it. */
export function emptyLeafResults(leaves: number): LeafResults {
  return {
    stop: new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)),
    hashed: new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)),
    digests: new Uint8Array(new SharedArrayBuffer(digestBytes * leaves)),
  };
}

export type ThreadQuestion = GroupQuestion | LeafQuestion;
