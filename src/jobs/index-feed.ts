import type { Delivered } from "#jobs/deliver.ts";
import type { ImportedFile } from "#jobs/import-file.ts";
import type { ImportRequest } from "#model/engine-api.ts";
import { EngineError } from "#model/engine-error.ts";
import type { BeingDeleted, IndexStore, NewCopy, NewObject } from "#model/index-store.ts";

/** Objects are put into the index this many files at a time. */
const batchFiles = 1_000;

/**
 * Objects of an import on their way into the index, in the order they were added. One batch is
 * being put while the next is gathered; equal content within a batch is one object already.
 */
export class IndexFeed {
  readonly #request: ImportRequest;
  readonly #collection: string | undefined;
  readonly #prefix: string;
  readonly #backend: string;
  readonly #index: Pick<IndexStore, "putObjects">;
  #objects = new Map<string, NewObject>();
  #files = 0;
  #putting: Promise<void> = Promise.resolve();
  #added = 0;
  #filesPut = 0;
  #problems: EngineError[] = [];

  constructor(
    request: ImportRequest,
    folder: string,
    backend: string,
    index: Pick<IndexStore, "putObjects">,
  ) {
    this.#request = request;
    // The root of the file system has no name.
    this.#collection = request.collection ?? (folder === "" ? undefined : folder);
    this.#prefix = namePrefix(request.prefix ?? folder);
    this.#backend = backend;
    this.#index = index;
  }

  /** Objects that the index did not know. */
  get added(): number {
    return this.#added;
  }

  /** Files whose content the index knew, or got from another file of this import. */
  get known(): number {
    return this.#filesPut - this.#added;
  }

  /** What was left out and why, once. */
  takeProblems(): readonly EngineError[] {
    const problems = this.#problems;
    this.#problems = [];
    return problems;
  }

  /** Whether it is time to call `put`. */
  get isFull(): boolean {
    return this.#files >= batchFiles;
  }

  /** What a file is called in the index. */
  nameOf(path: string): { readonly collection: string | null; readonly path: string } {
    return { collection: this.#collection ?? null, path: `${this.#prefix}/${path}` };
  }

  /** Adds a file under its path; a content that is in the batch gets one more name. */
  add(path: string, file: ImportedFile): void {
    this.#files += 1;
    const { cid } = file.object;
    const { path: name } = this.nameOf(path);
    const before = this.#objects.get(cid);
    this.#objects.set(
      cid,
      before ? { ...before, names: [...before.names, name] } : this.#newObject(name, file),
    );
  }

  /** Starts to put what is gathered, after the batch before; throws what that one ran into. */
  async put(now: Date): Promise<void> {
    await this.#putting;
    if (this.#files === 0) return;
    const [objects, files] = [[...this.#objects.values()], this.#files];
    this.#objects = new Map();
    this.#files = 0;
    this.#putting = this.#put(objects, files, now);
    // Met by whoever calls next.
    this.#putting.catch(() => undefined);
  }

  /** Puts the rest and waits until all is in the index. */
  async finish(now: Date): Promise<void> {
    await this.put(now);
    await this.#putting;
  }

  async #put(objects: readonly NewObject[], files: number, now: Date): Promise<void> {
    const { added, beingDeleted } = await this.#index.putObjects(objects, now);
    const untilOf = new Map(beingDeleted.map((found) => [found.cid, found]));
    let left = 0;
    for (const { cid, names } of objects) {
      const found = untilOf.get(cid);
      if (found === undefined) continue;
      left += names.length;
      for (const name of names) this.#problems.push(leftOut(name, found));
    }
    this.#added += added;
    this.#filesPut += files - left;
  }

  #newObject(name: string, file: ImportedFile): NewObject {
    const { object, type, created, modified, delivered } = file;
    const copies = delivered === undefined ? [] : [deliveredCopy(this.#backend, delivered)];
    return {
      ...object,
      names: [name],
      type,
      collection: this.#collection,
      owner: this.#request.owner,
      tags: this.#request.tags ?? [],
      created,
      modified,
      copies,
    };
  }
}

/** A copy that was just stored and checked, for the index. */
export function deliveredCopy(backend: string, { copy, evidence }: Delivered): NewCopy {
  const { confidence, checkedAt } = evidence;
  return { backend, copy, state: "present", confidence, checkedAt: new Date(checkedAt) };
}

/** Why content was not entered, and when it can be. */
export function leftOut(
  name: string,
  { cid, backend, permitId, until }: BeingDeleted,
): EngineError {
  const message = `${name} was left out: ${cid} is being deleted from ${backend} (${permitId})`;
  return new EngineError("CONFLICT", message, {
    retryable: true,
    hint: `import it again after ${until.toISOString()}`,
  });
}

/** `photos/2024/` → `/photos/2024`; the empty prefix and `/` put names at the root. */
function namePrefix(text: string): string {
  const parts = text.split("/").filter((part) => part !== "");
  return parts.map((part) => `/${part}`).join("");
}
