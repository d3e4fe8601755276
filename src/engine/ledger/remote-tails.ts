import { posix } from "node:path";
import {
  type LedgerTail,
  parseTailName,
  tailName,
  tailObject,
} from "#engine/ledger/ledger-tail.ts";
import { VerifiedFiles } from "#engine/snapshots/verified-files.ts";
import type { ByteStream, CallOptions, NamedFiles } from "#model/driver.ts";

const tailFolder = "snapshots/ledger";

/** Tails of ledgers on a backend, beside the snapshots that they go on from. */
export class RemoteTails {
  readonly #files: NamedFiles;
  readonly #verified: VerifiedFiles;
  readonly #options: CallOptions;

  constructor(backend: string, files: NamedFiles, options: CallOptions = {}) {
    this.#files = files;
    this.#options = options;
    this.#verified = new VerifiedFiles(backend, files, options);
  }

  async list(installation: string): Promise<readonly LedgerTail[]> {
    const folder = `${tailFolder}/${installation}`;
    const files = await this.#files.listNamed(folder, this.#options);
    return files.flatMap(({ name, bytes }) => parseTailName(posix.basename(name), bytes) ?? []);
  }

  async send(installation: string, tail: LedgerTail, path: string): Promise<void> {
    await this.#verified.send(remoteName(installation, tail), tailObject(tail), path);
  }

  read(installation: string, tail: LedgerTail): ByteStream {
    return this.#verified.read(remoteName(installation, tail), tailObject(tail));
  }

  async drop(installation: string, tail: LedgerTail): Promise<void> {
    await this.#files.removeNamed(remoteName(installation, tail), this.#options);
  }
}

function remoteName(installation: string, tail: LedgerTail): string {
  return `${tailFolder}/${installation}/${tailName(tail)}`;
}
