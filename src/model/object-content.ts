import type { Confidence, Form, Tier } from "#model/copy.ts";
import type { ByteStream } from "#model/driver.ts";

/** Content that callers hand in and take out, as streams of bytes. */
export interface ObjectContentApi {
  /**
   * Stores content at a backend, has it checked there, and enters it as an object. The bytes are
   * verified on the way; those of a copy that is there and intact are not asked for.
   */
  storeObject(request: StoreObjectRequest, bytes: ByteStream): Promise<StoredObject>;
  /** Where the content of an object can be read, the best copy first. */
  objectSources(reference: string): Promise<ObjectSources>;
  /**
   * The bytes of one copy, verified: the stream breaks off instead of ending when they are not the
   * object's, and what is wrong with the copy is recorded. From an offset they may be unverified.
   */
  readObject(request: ReadObjectRequest): AsyncIterable<Uint8Array>;
}

/** How content travels to and from callers: the bytes of the file, or blocks as a CAR. */
export const contentForms = ["file", "car"] as const;
export type ContentForm = (typeof contentForms)[number];

/** The media type of objects that are directories. */
export const directoryType = "inode/directory";

export interface StoreObjectRequest {
  readonly cid: string;
  /** Bytes of the content itself; of a directory, those of its files. */
  readonly size: number;
  readonly profile: string;
  readonly form: ContentForm;
  /** Default: the warmest one that takes writes. */
  readonly backend?: string;
  readonly names?: readonly string[];
  readonly type?: string;
  readonly collection?: string;
  readonly owner?: string;
  readonly tags?: readonly string[];
  /** ISO 8601. */
  readonly modified?: string;
}

/** What a caller says of everything that it brings in at once. */
export type ContentFacts = Pick<StoreObjectRequest, "backend" | "collection" | "owner" | "tags">;

export interface StoredObject {
  readonly cid: string;
  readonly size: number;
  readonly backend: string;
  /** How the backend holds it, and in how many bytes. */
  readonly form: Form;
  readonly bytes: number;
  readonly confidence: Confidence;
  /** Whether the backend had to be given the bytes. */
  readonly moved: boolean;
  /** Whether the index did not know the object. */
  readonly added: boolean;
  /** What the index knows otherwise than it was given here; it stays as it was. */
  readonly kept: readonly KeptFact[];
}

/** A fact of an object that is not replaced by content that is handed in again. */
export interface KeptFact {
  readonly fact: "collection" | "owner";
  readonly value: string;
  readonly given: string;
}

export interface ObjectSources {
  readonly cid: string;
  readonly size: number;
  readonly profile: string;
  readonly type: string | undefined;
  readonly names: readonly string[];
  readonly sources: readonly ObjectSource[];
  /** Backends whose copies are known to be lost or corrupt. */
  readonly damaged: readonly string[];
}

/** One copy that is believed to be intact. */
export interface ObjectSource {
  readonly backend: string;
  readonly tier: Tier;
  readonly form: Form;
  readonly confidence: Confidence;
}

export interface ReadObjectRequest {
  /** CID, path or number. */
  readonly object: string;
  readonly backend: string;
  readonly form: ContentForm;
  /** Leave out so many bytes of the file at its start. */
  readonly offset?: number;
}
