import { mkdtemp, readFile, rm, writeFile, chmod } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addressBytes } from "#content/address-file.ts";
import { convertForm } from "#content/convert-form.ts";
import { LocalDriver } from "#drivers/local/local-driver.ts";
import type { Form, ObjectRef, StoredCopy } from "#model/copy.ts";

/** Local stores in a temporary folder, under names, for tests of what moves between them. */
export class LocalStores implements AsyncDisposable {
  readonly folder: string;
  readonly #drivers = new Map<string, LocalDriver>();

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async open(): Promise<LocalStores> {
    return new LocalStores(await mkdtemp(join(tmpdir(), "thermocline-jobs-")));
  }

  async driver(name: string, capacityBytes?: number): Promise<LocalDriver> {
    const opened = this.#drivers.get(name);
    if (opened) return opened;
    const driver = await LocalDriver.open({
      backend: name,
      options: { path: join(this.folder, name), durability: "none", create: true },
      capacityBytes,
      secret: () => Promise.reject(new Error("no secrets here")),
    });
    this.#drivers.set(name, driver);
    return driver;
  }

  /** Puts bytes into a store, in a form. */
  async put(
    name: string,
    bytes: Uint8Array,
    form: Form = "file",
    profile = "unixfs-v1-2025",
  ): Promise<{ object: ObjectRef; copy: StoredCopy }> {
    const object = { ...addressBytes(bytes, profile), profile };
    const stream = convertForm(once(bytes), "file", form, object);
    const driver = await this.driver(name);
    return { object, copy: await driver.write(object, { form, bytes: undefined, stream }) };
  }

  /** Flips one byte of a stored copy behind its driver's back. */
  async damage(name: string, copy: StoredCopy, place = 0): Promise<void> {
    const path = join(this.folder, name, copy.locator);
    const bytes = await readFile(path);
    bytes[place] = (bytes[place] ?? 0) ^ 0x40;
    await chmod(path, 0o600);
    await writeFile(path, bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const driver of this.#drivers.values()) await driver.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
