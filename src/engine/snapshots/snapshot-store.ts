import { randomUUID } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { addressFile } from "#content/address-file.ts";
import { LocalTails } from "#engine/ledger/local-tails.ts";
import { chooseSnapshot, ofOneInstallation } from "#engine/snapshots/choose-snapshot.ts";
import { linkOrCopy } from "#engine/snapshots/link-or-copy.ts";
import { newestFirst } from "#engine/snapshots/newest-first.ts";
import { passingMarks } from "#engine/snapshots/passing-marks.ts";
import {
  decodeManifest,
  encodeManifest,
  type ManifestTable,
  type SnapshotManifest,
  type SnapshotPart,
} from "#engine/snapshots/snapshot-manifest.ts";
import { partProfile } from "#engine/snapshots/snapshot-parts.ts";
import { syncPath } from "#engine/snapshots/sync-path.ts";
import type { ByteStream } from "#model/driver.ts";
import { localFileError } from "#jobs/local-file-error.ts";
import { EngineError } from "#model/engine-error.ts";
import type { SnapshotReference } from "#model/index-snapshot.ts";

/** A snapshot that is there, with its name. */
export interface StoredSnapshot {
  readonly cid: string;
  readonly manifest: SnapshotManifest;
}

/** A part as it was written. */
export interface WrittenPart {
  readonly cid: string;
  readonly bytes: number;
}

const manifestName = "manifest.cbor";
const draftPrefix = ".draft-";

/**
 * Snapshots in a folder. `parts` holds the bytes once, under their CIDs; each snapshot is a
 * folder named by its CID in which the same files stand as tables that any reader of Parquet
 * opens, beside the manifest. It appears with one rename after everything it names is on the
 * disk: who dies before that leaves drafts and unused parts, which the next gc clears.
 */
export class SnapshotStore {
  readonly directory: string;
  /** What ledgers recorded after snapshots. */
  readonly tails: LocalTails;
  readonly #installation: () => Promise<string | undefined>;
  readonly #now: () => Date;

  /** With an installation, `newest` and times mean its snapshots, and no others. */
  constructor(
    directory: string,
    installation: () => Promise<string | undefined> = () => Promise.resolve(undefined),
    now: () => Date = () => new Date(),
  ) {
    this.directory = directory;
    this.#now = now;
    this.tails = new LocalTails(join(directory, "ledger"));
    this.#installation = installation;
  }

  /** Keeps what `write` puts at the path it is given, under its CID. */
  async addPart(write: (path: string) => Promise<unknown>): Promise<WrittenPart> {
    await mkdir(this.#parts, { recursive: true });
    const draft = join(this.#parts, `${draftPrefix}${randomUUID()}`);
    try {
      await write(draft);
      const { cid, size } = await addressFile(createReadStream(draft), partProfile);
      if (!(await this.isWhole(cid, size))) {
        await chmod(draft, 0o444);
        await syncPath(draft);
        await rename(draft, this.partPath(cid));
      }
      return { cid, bytes: size };
    } finally {
      await rm(draft, { force: true });
    }
  }

  /** Keeps a part that comes from elsewhere, if the stream, which checks it, ends well. */
  async receivePart(cid: string, stream: ByteStream): Promise<void> {
    await mkdir(this.#parts, { recursive: true });
    const draft = join(this.#parts, `${draftPrefix}${randomUUID()}`);
    try {
      await pipeline(stream, createWriteStream(draft, { mode: 0o444 }));
      await syncPath(draft);
      await rename(draft, this.partPath(cid));
    } finally {
      await rm(draft, { force: true });
    }
  }

  /** Whether a part is there and good: a damaged one gives way to the one that was written. */
  async isWhole(cid: string, bytes: number): Promise<boolean> {
    if (!(await this.hasPart(cid, bytes))) return false;
    const found = await addressFile(createReadStream(this.partPath(cid)), partProfile);
    return found.cid === cid;
  }

  /** Whether the part is there, going by its length alone. */
  async hasPart(cid: string, bytes: number): Promise<boolean> {
    const found = await stat(this.partPath(cid)).catch(() => undefined);
    return found?.size === bytes;
  }

  /** Where a part lies, going by its length alone. Throws CORRUPT. */
  async presentPart({ cid, bytes }: Pick<SnapshotPart, "cid" | "bytes">): Promise<string> {
    const path = this.partPath(cid.toString());
    if (!(await this.hasPart(cid.toString(), bytes))) throw damagedPart(path);
    return path;
  }

  /** Where a part lies, after its bytes were read and have its CID. Throws CORRUPT. */
  async verifiedPart(part: Pick<SnapshotPart, "cid">): Promise<string> {
    const cid = part.cid.toString();
    const path = this.partPath(cid);
    const found = await addressFile(createReadStream(path), partProfile).catch((error: unknown) => {
      throw damagedPart(path, error);
    });
    if (found.cid !== cid) throw damagedPart(path);
    return path;
  }

  partPath(cid: string): string {
    return join(this.#parts, `${cid}.parquet`);
  }

  /** Makes a snapshot of parts that are there. Its folder appears whole or not at all. */
  async publish(manifest: SnapshotManifest): Promise<{ cid: string; bytes: number }> {
    const { cid, bytes } = encodeManifest(manifest);
    const draft = join(this.directory, `${draftPrefix}${randomUUID()}`);
    try {
      await mkdir(draft, { recursive: true });
      for (const table of manifest.tables) await this.#layTable(draft, table);
      await writeFile(join(draft, manifestName), bytes, { mode: 0o444 });
      await syncPath(join(draft, manifestName));
      await syncPath(this.#parts);
      await syncPath(draft);
      await rename(draft, this.path(cid)).catch(async (error: unknown) => {
        // The same snapshot, taken twice at the same moment.
        if ((await this.#read(cid).catch(() => undefined)) === undefined) throw error;
      });
      await syncPath(this.directory);
      return { cid, bytes: bytes.length };
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
  }

  /** What is there, the newest first, and the names of those whose manifest is damaged. */
  async list(): Promise<{
    readonly snapshots: readonly StoredSnapshot[];
    readonly damaged: readonly string[];
  }> {
    const names = await namesIn(this.directory);
    const snapshots: StoredSnapshot[] = [];
    const damaged: string[] = [];
    for (const cid of names.filter((name) => /^b[a-z2-7]{20,}$/.test(name))) {
      const found = await this.#read(cid).catch(() => undefined);
      if (found === undefined) damaged.push(cid);
      else snapshots.push(found);
    }
    const ordered = newestFirst(snapshots, this.#now(), ({ cid, manifest }) => ({
      ...manifest,
      cid,
      parent: manifest.parent?.toString(),
    }));
    return { snapshots: ordered, damaged };
  }

  /**
   * The snapshot that a reference means: one that was only fetched to be asked just where no
   * other could be meant. Throws NOT_FOUND, or CONFLICT where it may be one of several
   * installations.
   */
  async find(reference: SnapshotReference): Promise<StoredSnapshot> {
    return await this.#find(reference, { alsoPassing: true });
  }

  /** The same; one that was only fetched to be asked is meant by its CID alone. */
  async findKept(reference: SnapshotReference): Promise<StoredSnapshot> {
    return await this.#find(reference, { alsoPassing: false });
  }

  /** Those that are here to stay, the newest first. */
  async kept(): Promise<readonly StoredSnapshot[]> {
    return await this.#keptOf((await this.list()).snapshots);
  }

  /** The newest of the installation itself that is here to stay. */
  async newestOwn(): Promise<StoredSnapshot | undefined> {
    const installation = await this.#installation();
    return (await this.kept()).find(({ manifest }) => manifest.installation === installation);
  }

  async #find(
    reference: SnapshotReference,
    options: { readonly alsoPassing: boolean },
  ): Promise<StoredSnapshot> {
    const { snapshots, damaged } = await this.list();
    // Says what is wrong with it.
    if (damaged.includes(reference)) return await this.#read(reference);
    const isCid = reference.startsWith("b");
    const meant = isCid ? snapshots : await this.#meant(snapshots, options);
    const choosable = meant.map((snapshot) => {
      return { cid: snapshot.cid, takenAt: snapshot.manifest.takenAt, snapshot };
    });
    return chooseSnapshot(choosable, reference, this.directory).snapshot;
  }

  async #meant(
    snapshots: readonly StoredSnapshot[],
    { alsoPassing }: { readonly alsoPassing: boolean },
  ): Promise<readonly StoredSnapshot[]> {
    const installation = await this.#installation();
    const own =
      installation === undefined
        ? snapshots
        : snapshots.filter(({ manifest }) => manifest.installation === installation);
    const kept = await this.#keptOf(own);
    const meant = kept.length === 0 && alsoPassing ? own : kept;
    const named = meant.map((snapshot) => {
      return { cid: snapshot.cid, installation: snapshot.manifest.installation, snapshot };
    });
    return ofOneInstallation(named, this.directory).map(({ snapshot }) => snapshot);
  }

  async #keptOf(snapshots: readonly StoredSnapshot[]): Promise<readonly StoredSnapshot[]> {
    const passing = new Set(await passingMarks(this.directory));
    return snapshots.filter(({ cid }) => !passing.has(cid));
  }

  path(cid: string): string {
    return join(this.directory, cid);
  }

  /** Takes a snapshot away at once; its parts stay. */
  async drop(cid: string): Promise<void> {
    const gone = join(this.directory, `${draftPrefix}${randomUUID()}`);
    await rename(this.path(cid), gone);
    await syncPath(this.directory);
    await rm(gone, { recursive: true, force: true });
  }

  /** Parts with their lengths. */
  async parts(): Promise<ReadonlyMap<string, number>> {
    const names = await namesIn(this.#parts);
    const cids = names.filter((name) => name.endsWith(".parquet")).map((name) => name.slice(0, -8));
    const sizes = await Promise.all(
      cids.map((cid) => stat(this.partPath(cid)).catch(() => undefined)),
    );
    return new Map(cids.map((cid, position) => [cid, sizes[position]?.size ?? 0]));
  }

  async removePart(cid: string): Promise<void> {
    await rm(this.partPath(cid), { force: true });
  }

  /** Clears what somebody left who died. Only for the one process that writes here. */
  async clearDrafts(): Promise<void> {
    for (const folder of [this.directory, this.#parts]) {
      const names = await namesIn(folder);
      for (const name of names.filter((entry) => entry.startsWith(draftPrefix))) {
        await rm(join(folder, name), { recursive: true, force: true });
      }
    }
    await this.tails.clearDrafts();
  }

  async #layTable(draft: string, { family, table, parts }: ManifestTable): Promise<void> {
    for (const { range, cid } of parts) {
      const path = join(draft, family, table, `range=${range}`, "part.parquet");
      await mkdir(dirname(path), { recursive: true });
      await linkOrCopy(this.partPath(cid.toString()), path);
    }
  }

  async #read(cid: string): Promise<StoredSnapshot> {
    const bytes = await readFile(join(this.path(cid), manifestName));
    return { cid, manifest: decodeManifest(cid, bytes) };
  }

  get #parts(): string {
    return join(this.directory, "parts");
  }
}

function damagedPart(path: string, cause?: unknown): EngineError {
  return new EngineError("CORRUPT", `${path} is missing or damaged: its bytes have another CID`, {
    hint: "check the disk, and use another snapshot; `create --full`, or `pull --full` where it was pushed to, makes the part good",
    cause,
  });
}

/** What lies in a folder: nothing where it was never made. One that cannot be read is an error. */
async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw localFileError(thrown, folder);
  }
}
