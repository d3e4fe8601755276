import { randomUUID } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { chmod, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { addressFile } from "#content/address-file.ts";
import { clearAbandoned } from "#engine/clear-abandoned.ts";
import { type LedgerTail, parseTailName, tailName } from "#engine/ledger/ledger-tail.ts";
import { partProfile } from "#engine/snapshots/snapshot-parts.ts";
import { syncPath } from "#engine/snapshots/sync-path.ts";
import { localFileError } from "#jobs/local-file-error.ts";
import type { ByteStream } from "#model/driver.ts";

const draftPrefix = ".draft-";

/** Tails of ledgers in a folder, for each installation a folder of its own. */
export class LocalTails {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  /** Those that are here, in no order. Throws UNREADABLE: what cannot be seen is not none. */
  async list(installation: string): Promise<readonly LedgerTail[]> {
    const folder = join(this.directory, installation);
    const names = (await unlessMissing(readdir(folder), folder)) ?? [];
    const tails: LedgerTail[] = [];
    for (const name of names) {
      const path = join(folder, name);
      const found = await unlessMissing(stat(path), path);
      const tail = found === undefined ? undefined : parseTailName(name, found.size);
      if (tail !== undefined) tails.push(tail);
    }
    return tails;
  }

  path(installation: string, tail: LedgerTail): string {
    return join(this.directory, installation, tailName(tail));
  }

  /** Keeps what `write` puts at the path it is given. */
  async add(
    installation: string,
    about: Omit<LedgerTail, "cid" | "bytes">,
    write: (path: string) => Promise<unknown>,
  ): Promise<LedgerTail> {
    return await this.#place(installation, async (draft) => {
      await write(draft);
      const { cid, size } = await addressFile(createReadStream(draft), partProfile);
      return { ...about, cid, bytes: size };
    });
  }

  /** Keeps one that comes from elsewhere, if the stream, which checks it, ends well. */
  async receive(installation: string, tail: LedgerTail, stream: ByteStream): Promise<void> {
    await this.#place(installation, async (draft) => {
      await pipeline(stream, createWriteStream(draft));
      return tail;
    });
  }

  async drop(installation: string, tail: LedgerTail): Promise<void> {
    await rm(this.path(installation, tail), { force: true });
  }

  /** Clears what somebody left who died; others may be writing meanwhile. */
  async clearDrafts(): Promise<void> {
    const folders = (await unlessMissing(readdir(this.directory), this.directory)) ?? [];
    for (const name of folders) {
      await clearAbandoned(join(this.directory, name), (entry) => entry.startsWith(draftPrefix));
    }
  }

  async #place(
    installation: string,
    fill: (draft: string) => Promise<LedgerTail>,
  ): Promise<LedgerTail> {
    const folder = join(this.directory, installation);
    await mkdir(folder, { recursive: true });
    const draft = join(folder, `${draftPrefix}${randomUUID()}`);
    try {
      const tail = await fill(draft);
      await chmod(draft, 0o444);
      await syncPath(draft);
      await rename(draft, this.path(installation, tail));
      await syncPath(folder);
      return tail;
    } finally {
      await rm(draft, { force: true });
    }
  }
}

/** Undefined for what is not there, or was given up just now. */
async function unlessMissing<Result>(
  asked: Promise<Result>,
  path: string,
): Promise<Result | undefined> {
  try {
    return await asked;
  } catch (thrown) {
    const error = localFileError(thrown, path);
    if (error.code === "NOT_FOUND") return undefined;
    throw error;
  }
}
