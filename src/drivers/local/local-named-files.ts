import { lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ByteStream, CallOptions, NamedBody, NamedFile, NamedFiles } from "#model/driver.ts";
import { throwIfCancelled } from "#drivers/contract/cancelled.ts";
import { checkFileName } from "#drivers/contract/check-file-name.ts";
import { namedFileBody } from "#drivers/contract/named-file-body.ts";
import { stopOnAbort } from "#drivers/contract/stop-on-abort.ts";
import { fileError, systemCode } from "#drivers/local/file-error.ts";
import { IncomingFile } from "#drivers/local/incoming-file.ts";
import { readStoredFile } from "#drivers/local/read-file.ts";
import type { StoreFolder } from "#drivers/local/store-folder.ts";

/** Files by name in the folder `named` of a store. */
export class LocalNamedFiles implements NamedFiles {
  readonly #folder: StoreFolder;

  constructor(folder: StoreFolder) {
    this.#folder = folder;
  }

  async writeNamed(name: string, body: NamedBody, { signal }: CallOptions = {}): Promise<void> {
    const path = this.#path(name);
    this.#folder.checkMounted();
    try {
      const incoming = new IncomingFile(this.#folder.incoming);
      try {
        for await (const chunk of namedFileBody(name, body, signal)) await incoming.write(chunk);
        if (this.#folder.syncsFiles) await incoming.sync();
        incoming.close();
        const made = mkdirSync(dirname(path), { recursive: true });
        throwIfCancelled(signal, `writing ${name}`);
        incoming.publish(path);
        await this.#sync(path, made);
      } finally {
        incoming.discard();
      }
    } catch (error) {
      throw fileError(error, `cannot store ${name} in`, this.#folder.root);
    }
  }

  readNamed(name: string, { signal }: CallOptions = {}): Promise<ByteStream> {
    const bytes = readStoredFile(this.#path(name));
    return Promise.resolve(stopOnAbort(bytes, signal, `reading ${name}`));
  }

  listNamed(folder: string, { signal }: CallOptions = {}): Promise<readonly NamedFile[]> {
    throwIfCancelled(signal, `listing ${folder}`);
    this.#folder.checkMounted();
    const found = this.#filesBelow(checkFileName(folder));
    return Promise.resolve(found.toSorted((a, b) => (a.name < b.name ? -1 : 1)));
  }

  removeNamed(name: string, { signal }: CallOptions = {}): Promise<void> {
    const path = this.#path(name);
    throwIfCancelled(signal, `removing ${name}`);
    try {
      rmSync(path, { force: true });
    } catch (error) {
      throw fileError(error, "cannot remove", path);
    }
    return Promise.resolve();
  }

  #filesBelow(folder: string): readonly NamedFile[] {
    const path = join(this.#folder.root, "named", folder);
    try {
      return readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
        const name = `${folder}/${entry.name}`;
        if (entry.isDirectory()) return this.#filesBelow(name);
        const stat = lstatSync(join(path, entry.name), { throwIfNoEntry: false });
        return stat?.isFile() === true ? [{ name, bytes: stat.size }] : [];
      });
    } catch (error) {
      if (systemCode(error) === "ENOENT") return [];
      throw fileError(error, "cannot list", path);
    }
  }

  /** The folder of the file, and those above it that had to be made. */
  async #sync(path: string, made: string | undefined): Promise<void> {
    const last = made === undefined ? dirname(path) : dirname(made);
    for (let folder = dirname(path); ; folder = dirname(folder)) {
      await this.#folder.syncFolder(folder);
      if (folder === last) return;
    }
  }

  #path(name: string): string {
    return join(this.#folder.root, "named", checkFileName(name));
  }
}
