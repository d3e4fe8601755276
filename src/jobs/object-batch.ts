import type { ImportedFile } from "#jobs/import-file.ts";
import type { ImportRequest } from "#model/engine-api.ts";
import type { IndexStore, NewCopy, NewObject } from "#model/index-store.ts";

/** Objects of an import on their way into the index; equal content is one object here already. */
export class ObjectBatch {
  readonly #request: ImportRequest;
  readonly #collection: string;
  readonly #prefix: string;
  readonly #backend: string;
  readonly #index: Pick<IndexStore, "putObjects">;
  #objects = new Map<string, NewObject>();
  #files = 0;

  constructor(
    request: ImportRequest,
    folder: string,
    backend: string,
    index: Pick<IndexStore, "putObjects">,
  ) {
    this.#request = request;
    this.#collection = request.collection ?? folder;
    this.#prefix = namePrefix(request.prefix ?? folder);
    this.#backend = backend;
    this.#index = index;
  }

  /** Files that wait to be put into the index. */
  get files(): number {
    return this.#files;
  }

  /** Adds a file under its path; a content that is in the batch gets one more name. */
  add(path: string, file: ImportedFile): void {
    this.#files += 1;
    const { cid } = file.object;
    const name = `${this.#prefix}/${path}`;
    const before = this.#objects.get(cid);
    this.#objects.set(
      cid,
      before ? { ...before, names: [...before.names, name] } : this.#newObject(name, file),
    );
  }

  /** Puts everything into the index; returns how many objects the index did not know. */
  async flush(now: Date): Promise<number> {
    if (this.#objects.size === 0) return 0;
    const { added } = await this.#index.putObjects([...this.#objects.values()], now);
    this.#objects = new Map();
    this.#files = 0;
    return added;
  }

  #newObject(name: string, file: ImportedFile): NewObject {
    const { object, type, created, modified, delivered } = file;
    const copies: NewCopy[] = [];
    if (delivered) {
      const { confidence, checkedAt } = delivered.evidence;
      copies.push({
        backend: this.#backend,
        copy: delivered.copy,
        state: "present",
        confidence,
        checkedAt: new Date(checkedAt),
      });
    }
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

/** `photos/2024/` → `/photos/2024`; the empty prefix and `/` put names at the root. */
function namePrefix(text: string): string {
  const parts = text.split("/").filter((part) => part !== "");
  return parts.map((part) => `/${part}`).join("");
}
