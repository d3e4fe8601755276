import type { Form, ObjectRef, StoredCopy } from "#model/copy.ts";
import type { ListedCopy, ListOptions } from "#model/driver.ts";
import type { HeadResult, PutRequest } from "#drivers/s3/bucket-client.ts";

/** A copy where it lies. */
export interface KeptCopy {
  readonly key: string;
  readonly form: Form;
  readonly found: HeadResult;
}

/** Under which keys of a bucket copies lie, and how they are found again. */
export interface CopyKeys {
  /** The copy of an object, in whichever form. */
  find(object: ObjectRef, signal: AbortSignal | undefined): Promise<KeptCopy | undefined>;
  /** Where a copy lies that somebody saw. NOT_FOUND when that is nowhere. */
  keyOf(object: ObjectRef, copy: StoredCopy, signal: AbortSignal | undefined): Promise<string>;
  /** Where a copy shall be written, and under which conditions. */
  place(
    object: ObjectRef,
    form: Form,
    existing: KeptCopy | undefined,
    signal: AbortSignal | undefined,
  ): Promise<PutRequest>;
  /** Every key that holds a copy of the object. */
  held(object: ObjectRef, signal: AbortSignal | undefined): Promise<readonly string[]>;
  /** Whether what lies there is a copy of the object. Absent where nobody else has such keys. */
  isCopyOf?(object: ObjectRef, key: string, found: HeadResult): boolean;
  /** Forgets where a copy lay that is gone. */
  forget(object: ObjectRef, key: string, signal: AbortSignal | undefined): Promise<void>;
  /** Copies in the order of keys; the cursor is the key. */
  list(options: ListOptions): AsyncIterable<ListedCopy>;
  /** Bytes of all copies. */
  storedBytes(): Promise<number>;
  /** Whether an upload that nobody ended was one of ours. */
  isUploadOfOurs(key: string, begunAt: Date, signal: AbortSignal | undefined): Promise<boolean>;
}
