import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { localFileError } from "#jobs/local-file-error.ts";
import type { ByteStream } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { formatSize } from "#model/quantity.ts";
import type { Work } from "#engine/callers/work-steps.ts";

export interface SpoolOptions {
  readonly work: Work;
  /** More than this is an error. */
  readonly bytesMax: number;
}

/** A folder for files that are needed for a while; gone when it is disposed of. */
export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "thermocline-"));
  return {
    path,
    async [Symbol.asyncDispose]() {
      await rm(path, { recursive: true, force: true });
    },
  };
}

/** Keeps a stream that comes only once in a file, which then can be read again and again. */
export async function spoolStream(
  stream: AsyncIterable<Uint8Array | string>,
  path: string,
  { work, bytesMax }: SpoolOptions,
): Promise<void> {
  const file = await open(path, "wx", 0o600).catch((thrown: unknown) => {
    throw localFileError(thrown, path);
  });
  let failure: EngineError | undefined;
  async function* bounded(): ByteStream {
    let bytes = 0;
    try {
      for await (const piece of stream) {
        work.signal.throwIfAborted();
        const data = typeof piece === "string" ? Buffer.from(piece) : piece;
        bytes += data.length;
        work.bytes += data.length;
        if (bytes > bytesMax) throw tooMuch(bytesMax);
        yield data;
      }
    } catch (thrown) {
      failure = EngineError.from(thrown, "UNAVAILABLE");
      throw failure;
    }
  }
  try {
    await pipeline(bounded(), file.createWriteStream());
  } catch (thrown) {
    throw failure ?? localFileError(thrown, path);
  }
}

/** The error of content that is larger than was allowed. */
export function tooMuch(bytesMax: number): EngineError {
  return new EngineError("REFUSED", `it is larger than ${formatSize(bytesMax)}`, {
    hint: "allow more with --max-size",
  });
}
