import { createReadStream } from "node:fs";
import { verifyFile } from "#content/verify-file.ts";
import type { ObjectRef } from "#model/copy.ts";
import type { ByteStream, CallOptions, NamedFiles } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";

/** Files by name on a backend whose bytes have a CID that is known: read against it each time. */
export class VerifiedFiles {
  readonly #backend: string;
  readonly #files: NamedFiles;
  readonly #options: CallOptions;

  constructor(backend: string, files: NamedFiles, options: CallOptions) {
    this.#backend = backend;
    this.#files = files;
    this.#options = options;
  }

  /** Sends a file, and reads it back; one that arrived damaged does not stay. */
  async send(name: string, object: ObjectRef, path: string): Promise<void> {
    const stream = verifyFile(createReadStream(path), object);
    await this.#files.writeNamed(name, { bytes: object.size, stream }, this.#options);
    if (await this.isWhole(name, object)) return;
    await this.#files.removeNamed(name);
    throw new EngineError("CORRUPT", `${name} arrived damaged on ${this.#backend}`, {
      hint: "check the backend and what lies between; then push again",
    });
  }

  /** Whether a file's bytes there have its CID. */
  async isWhole(name: string, object: ObjectRef): Promise<boolean> {
    try {
      for await (const _piece of this.read(name, object)) continue;
      return true;
    } catch (error) {
      const { code } = EngineError.from(error);
      if (code === "CORRUPT" || code === "NOT_FOUND") return false;
      throw error;
    }
  }

  /** The bytes of a file; the stream throws CORRUPT instead of ending when they are others. */
  async *read(name: string, object: ObjectRef): ByteStream {
    yield* verifyFile(await this.#files.readNamed(name, this.#options), object);
  }
}
