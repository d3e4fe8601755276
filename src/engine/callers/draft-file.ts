import { createReadStream } from "node:fs";
import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { canonicalCid } from "#content/cid.ts";
import { FileHasher } from "#content/file-hasher.ts";
import { profileNamed } from "#content/profile.ts";
import { leftDrafts, ownDraftName } from "#engine/callers/draft-names.ts";
import { localFileError } from "#jobs/local-file-error.ts";
import type { ObjectRef } from "#model/copy.ts";

/**
 * A file on its way: it lies beside the place it is for until it is whole and proved. What an
 * earlier attempt left is taken up again, under a name that only this one uses: what another
 * attempt is writing just now is never written to.
 */
export class DraftFile implements AsyncDisposable {
  /** Where an attempt that ends unfinished leaves it. */
  readonly #leftPath: string;
  readonly #path: string;
  readonly #object: ObjectRef;
  readonly #file: FileHandle;
  #hasher: FileHasher;
  /** Whether it has bytes that no verified reading from the start has brought. */
  #isMixed = false;
  #isDone = false;

  private constructor(leftPath: string, path: string, object: ObjectRef, file: FileHandle) {
    this.#leftPath = leftPath;
    this.#path = path;
    this.#object = object;
    this.#file = file;
    this.#hasher = new FileHasher(profileNamed(object.profile));
  }

  static async open(leftPath: string, object: ObjectRef): Promise<DraftFile> {
    const path = ownDraftName(leftPath);
    await claimLargest(leftPath, path);
    const file = await open(path, "a+", 0o666).catch((thrown: unknown) => {
      throw localFileError(thrown, path);
    });
    const draft = new DraftFile(leftPath, path, object, file);
    const { size } = await file.stat();
    if (size > object.size) await draft.restart();
    else for await (const bytes of createReadStream(path)) draft.#hasher.update(bytes as Buffer);
    draft.#isMixed = draft.size > 0;
    return draft;
  }

  /** Bytes it has. */
  get size(): number {
    return this.#hasher.size;
  }

  get isMixed(): boolean {
    return this.#isMixed;
  }

  /** Says that what follows is not from where the bytes before came from. */
  goOnElsewhere(): void {
    this.#isMixed ||= this.size > 0;
  }

  async append(bytes: Uint8Array): Promise<void> {
    this.#hasher.update(bytes);
    await this.#file.appendFile(bytes);
  }

  /** Forgets what it has. */
  async restart(): Promise<void> {
    await this.#file.truncate(0);
    this.#hasher = new FileHasher(profileNamed(this.#object.profile));
    this.#isMixed = false;
  }

  /** Whether it is the object, to be asked at the end. One that is not starts anew. */
  async isWhole(): Promise<boolean> {
    const isRight = this.size === this.#object.size && this.#matches();
    if (!isRight) await this.restart();
    return isRight;
  }

  /** Gives it the name it is for, on disk and durable. */
  async publish(name: string): Promise<void> {
    await this.#file.datasync();
    await rename(this.#path, name);
    this.#isDone = true;
  }

  async discard(): Promise<void> {
    await rm(this.#path, { force: true });
    this.#isDone = true;
  }

  /** What is not finished is left to the next attempt; where nothing has come, nothing is. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
    if (this.#isDone) return;
    if (this.size === 0) await rm(this.#path, { force: true });
    else await wasRenamed(this.#path, this.#leftPath);
  }

  #matches(): boolean {
    return this.#hasher.finish().cid === canonicalCid(this.#object.cid);
  }
}

/** Takes the furthest of what earlier attempts left: renaming it is what only one can do. */
async function claimLargest(leftPath: string, path: string): Promise<void> {
  const found = await Promise.all(
    (await leftDrafts(leftPath)).map(async (left) => {
      const kind = await stat(left).catch(() => undefined);
      const isDraft = kind?.isFile() === true && !left.endsWith(".blocks");
      return { left, bytes: isDraft ? kind.size : -1 };
    }),
  );
  const drafts = found.filter(({ bytes }) => bytes >= 0).toSorted((a, b) => b.bytes - a.bytes);
  let isClaimed = false;
  for (const { left } of drafts) {
    if (isClaimed) await rm(left, { force: true });
    else isClaimed = await wasRenamed(left, path);
  }
}

/** False where it is gone: another attempt was faster, say. */
async function wasRenamed(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch {
    return false;
  }
}
