import { createReadStream } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { canonicalCid } from "#content/cid.ts";
import { FileHasher } from "#content/file-hasher.ts";
import { profileNamed } from "#content/profile.ts";
import { localFileError } from "#jobs/local-file-error.ts";
import type { ObjectRef } from "#model/copy.ts";

/**
 * A file on its way: it lies beside the place it is for until it is whole and proved. What an
 * earlier attempt left is taken up again.
 */
export class DraftFile implements AsyncDisposable {
  readonly #path: string;
  readonly #object: ObjectRef;
  readonly #file: FileHandle;
  #hasher: FileHasher;
  /** Whether it has bytes that no verified reading from the start has brought. */
  #isMixed = false;

  private constructor(path: string, object: ObjectRef, file: FileHandle) {
    this.#path = path;
    this.#object = object;
    this.#file = file;
    this.#hasher = new FileHasher(profileNamed(object.profile));
  }

  static async open(path: string, object: ObjectRef): Promise<DraftFile> {
    const file = await open(path, "a+", 0o666).catch((thrown: unknown) => {
      throw localFileError(thrown, path);
    });
    const draft = new DraftFile(path, object, file);
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
  }

  async discard(): Promise<void> {
    await rm(this.#path, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }

  #matches(): boolean {
    return this.#hasher.finish().cid === canonicalCid(this.#object.cid);
  }
}
