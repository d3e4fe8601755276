import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { checkMd5 } from "#engine/imports/check-md5.ts";
import type {
  InventoryFile,
  InventoryPlace,
  OpenInventoryFile,
} from "#engine/imports/inventory-place.ts";
import { EngineError } from "#model/engine-error.ts";

/** An S3 Inventory in folders of this machine: its files lie beside it, or as S3 lays them out. */
export class LocalInventory implements InventoryPlace {
  readonly name: string;

  constructor(path: string) {
    this.name = path;
  }

  async manifest(): Promise<string> {
    return await readFile(this.name, "utf8");
  }

  async expect(files: readonly InventoryFile[]): Promise<void> {
    for (const file of files) await this.#find(file);
  }

  async open(file: InventoryFile): Promise<OpenInventoryFile> {
    const path = await this.#find(file);
    await checkMd5(path, file.md5);
    // It is not ours to remove.
    return { path, [Symbol.asyncDispose]: () => Promise.resolve() };
  }

  async #find({ key, bytes }: InventoryFile): Promise<string> {
    const folder = dirname(this.name);
    const name = basename(key);
    const places = [join(folder, name), join(folder, "data", name), join(folder, "../data", name)];
    for (const place of places) {
      const found = await stat(place).catch(() => undefined);
      if (found?.isFile() !== true) continue;
      if (found.size === bytes) return place;
      throw new EngineError("CORRUPT", `${place} has ${found.size} bytes, not ${bytes}`, {
        hint: "download it again",
      });
    }
    throw new EngineError("NOT_FOUND", `${name}, which ${this.name} names, is not there`, {
      hint: `put it beside the manifest, or into ${join(folder, "../data")} as S3 does`,
    });
  }
}
