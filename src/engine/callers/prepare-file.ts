import { realpath } from "node:fs/promises";
import { basename } from "node:path";
import { FileHasher } from "#content/file-hasher.ts";
import { profileNamed } from "#content/profile.ts";
import type { PreparedContent } from "#engine/callers/prepared-content.ts";
import type { Work } from "#engine/callers/work-steps.ts";
import { LocalFile } from "#jobs/local-file.ts";
import { localFileError } from "#jobs/local-file-error.ts";
import { mediaType } from "#jobs/media-type.ts";

export interface PrepareOptions {
  readonly profile: string;
  readonly work: Work;
}

/** Computes the CID of one file, which stays open until it is disposed of. */
export async function prepareFile(path: string, options: PrepareOptions): Promise<PreparedContent> {
  const file = LocalFile.open(await realPathOf(path));
  try {
    const { cid, size } = await hashLocalFile(file, options);
    const name = basename(path);
    return {
      object: { cid, size, profile: options.profile },
      form: "file",
      name,
      type: mediaType(name, size),
      modified: file.modified,
      leftOut: [],
      open: () => file.stream(),
      [Symbol.asyncDispose]() {
        file[Symbol.dispose]();
        return Promise.resolve();
      },
    };
  } catch (thrown) {
    file[Symbol.dispose]();
    throw thrown;
  }
}

/** CID, size and size as blocks. CONFLICT when something writes to the file meanwhile. */
export async function hashLocalFile(
  file: LocalFile,
  { profile, work }: PrepareOptions,
): Promise<{ readonly cid: string; readonly size: number; readonly dagBytes: number }> {
  const hasher = new FileHasher(profileNamed(profile));
  for await (const bytes of file.stream()) {
    work.signal.throwIfAborted();
    work.bytes += bytes.length;
    await hasher.absorb(bytes, hasher.size + bytes.length === file.size);
  }
  file.checkUnchanged();
  work.done += 1;
  return { ...hasher.finish(), dagBytes: hasher.dagBytes };
}

/** What the path leads to. People may name a link; those in a directory are not followed. */
export async function realPathOf(path: string): Promise<string> {
  return await realpath(path).catch((thrown: unknown) => {
    throw localFileError(thrown, path);
  });
}
