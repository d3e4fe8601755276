import { constants, createReadStream } from "node:fs";
import { copyFile, type FileHandle, lstat, open, rename, rm } from "node:fs/promises";
import { canonicalCid } from "#content/cid.ts";
import { FileHasher } from "#content/file-hasher.ts";
import { profileNamed } from "#content/profile.ts";
import { draftName, type LeftDraft, leftDrafts } from "#engine/callers/draft-names.ts";
import { localFileError } from "#jobs/local-file-error.ts";
import type { ObjectRef } from "#model/copy.ts";
import type { EngineError } from "#model/engine-error.ts";

/**
 * A file on its way: it lies beside the place it is for until it is whole and proved. What an
 * earlier attempt left is taken up again, under a name that only this one uses: what another
 * attempt is writing just now is never written to.
 */
export class DraftFile implements AsyncDisposable {
  /** Where names of drafts begin. */
  readonly #leftPath: string;
  readonly #path: string;
  readonly #object: ObjectRef;
  readonly #file: FileHandle;
  /** What earlier attempts left, besides what was taken up. */
  #others: readonly LeftDraft[] = [];
  #failure: EngineError | undefined;
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
    const path = draftName(leftPath);
    const others = await takeFurthest(leftPath, path, object.size);
    const file = await open(path, "a+", 0o666).catch((thrown: unknown) => {
      throw localFileError(thrown, path);
    });
    const draft = new DraftFile(leftPath, path, object, file);
    draft.#others = others;
    for await (const bytes of createReadStream(path)) draft.#hasher.update(bytes as Buffer);
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

  /** Why it cannot be written: no copy is to blame for that. */
  get failure(): EngineError | undefined {
    return this.#failure;
  }

  async append(bytes: Uint8Array): Promise<void> {
    try {
      await this.#file.appendFile(bytes);
    } catch (thrown) {
      this.#failure = localFileError(thrown, this.#path);
      // Some of it may have come; only what is counted stays for the next attempt.
      await this.#file.truncate(this.size).catch(() => undefined);
      throw this.#failure;
    }
    this.#hasher.update(bytes);
  }

  /** Forgets what it has. */
  async restart(): Promise<void> {
    await this.#file.truncate(0);
    this.#hasher = new FileHasher(profileNamed(this.#object.profile));
    this.#isMixed = false;
  }

  /** Whether it is the object, to be asked at the end. One that is not starts anew. */
  async isWhole(): Promise<boolean> {
    const { size } = this.#object;
    const isRight =
      this.size === size && (await this.#file.stat()).size === size && this.#matches();
    if (!isRight) await this.restart();
    return isRight;
  }

  /** Gives it the name it is for, on disk and durable. */
  async publish(name: string): Promise<void> {
    await this.#file.datasync();
    await rename(this.#path, name);
    this.#isDone = true;
    for (const left of this.#others) await removeLeft(left);
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
    else await rename(this.#path, draftName(this.#leftPath, "left")).catch(() => undefined);
  }

  #matches(): boolean {
    return this.#hasher.finish().cid === canonicalCid(this.#object.cid);
  }
}

/**
 * Takes the furthest of what earlier attempts left: renaming it is what only one can do. What may have
 * a writer elsewhere is copied instead, so that nobody else writes to what is published. Answers the others.
 */
async function takeFurthest(
  leftPath: string,
  path: string,
  bytesMax: number,
): Promise<readonly LeftDraft[]> {
  const found = (await leftDrafts(leftPath)).filter(
    (left) => left.isFile && !left.path.endsWith(".blocks") && (left.isFree || left.isQuiet),
  );
  const others = new Set(found);
  const usable = found.filter(({ bytes }) => bytes > 0 && bytes <= bytesMax);
  for (const left of usable.toSorted((a, b) => b.bytes - a.bytes)) {
    const isTaken = await (
      left.isFree ? rename(left.path, path) : copyFile(left.path, path, constants.COPYFILE_FICLONE)
    ).then(
      () => true,
      () => false,
    );
    if (!isTaken) continue;
    if (left.isFree) others.delete(left);
    break;
  }
  return [...others];
}

/** Unless somebody has written to it since. */
async function removeLeft({ path, changedMs, isFree }: LeftDraft): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined || (!isFree && found.mtimeMs !== changedMs)) return;
  await rm(path, { force: true }).catch(() => undefined);
}
