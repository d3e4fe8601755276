import { posix } from "node:path";
import { RemoteTails } from "#engine/ledger/remote-tails.ts";
import { chooseSnapshot, ofOneInstallation } from "#engine/snapshots/choose-snapshot.ts";
import { damagedOnly } from "#engine/snapshots/damaged-only.ts";
import { eachAtOnce } from "#engine/snapshots/each-at-once.ts";
import {
  type ListedSnapshot,
  manifestFolder,
  manifestName,
  parseManifestName,
} from "#engine/snapshots/manifest-name.ts";
import { newestFirst } from "#engine/snapshots/newest-first.ts";
import {
  decodeManifest,
  encodeManifest,
  type SnapshotPart,
} from "#engine/snapshots/snapshot-manifest.ts";
import { partObject } from "#engine/snapshots/snapshot-parts.ts";
import type { StoredSnapshot } from "#engine/snapshots/snapshot-store.ts";
import { VerifiedFiles } from "#engine/snapshots/verified-files.ts";
import type { ByteStream, CallOptions, NamedFiles } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { isFromFuture } from "#model/from-future.ts";
import type { SnapshotReference } from "#model/index-snapshot.ts";

const partFolder = "snapshots/parts";
/** A manifest names its parts with some 120 bytes each: a million of them. */
const manifestBytesMax = 128 * 1024 * 1024;
/** Manifests that are read side by side. */
const manifestsAtOnce = 4;

export interface RemoteSnapshotsOptions extends CallOptions {
  readonly now?: () => Date;
}

/**
 * Snapshots on a backend, as files by name beside its copies: parts by CID, and for each snapshot
 * a manifest whose name says its time. Installations have folders of their own, so that none
 * gives up what another one is sending.
 */
export class RemoteSnapshots {
  readonly backend: string;
  /** What ledgers recorded after snapshots. */
  readonly tails: RemoteTails;
  readonly #files: NamedFiles;
  readonly #verified: VerifiedFiles;
  readonly #options: CallOptions;
  readonly #now: () => Date;

  constructor(
    backend: string,
    files: NamedFiles,
    { now = () => new Date(), ...options }: RemoteSnapshotsOptions = {},
  ) {
    this.backend = backend;
    this.#files = files;
    this.#options = options;
    this.#now = now;
    this.tails = new RemoteTails(backend, files, options);
    this.#verified = new VerifiedFiles(backend, files, options);
  }

  /** What is there, by the times in the names. */
  async list(): Promise<readonly ListedSnapshot[]> {
    const files = await this.#files.listNamed(manifestFolder, this.#options);
    return files
      .flatMap(({ name }) => parseManifestName(name) ?? [])
      .toSorted((a, b) => Date.parse(b.takenAt) - Date.parse(a.takenAt) || b.commits - a.commits);
  }

  /**
   * Those of one installation, as `list` gives them, the newest first. Where a clock was set
   * back, or an older snapshot was restored, manifests are read to tell which follows which.
   */
  async newestFirst(listed: readonly ListedSnapshot[]): Promise<readonly ListedSnapshot[]> {
    const now = this.#now();
    const isPlain = listed.every(({ takenAt, commits }, position) => {
      const before = listed[position - 1];
      return !isFromFuture(takenAt, now) && (before === undefined || before.commits >= commits);
    });
    if (isPlain) return listed;
    const parents = new Map<string, string>();
    await eachAtOnce(listed, manifestsAtOnce, async (one) => {
      const found = await this.manifest(one).catch(damagedOnly);
      const parent = found?.manifest.parent?.toString();
      if (parent !== undefined) parents.set(one.cid, parent);
    });
    return newestFirst(listed, now, (one) => ({ ...one, parent: parents.get(one.cid) }));
  }

  /** Of several installations, `newest` and times mean this one's, if it is known. */
  async find(
    reference: SnapshotReference,
    installation: string | undefined,
  ): Promise<ListedSnapshot> {
    const all = await this.list();
    // A CID says by itself whose it is.
    const own = reference.startsWith("b")
      ? all
      : await this.newestFirst(this.ofOne(all, installation));
    return chooseSnapshot(own, reference, this.backend);
  }

  /** Those of one installation: the given one, else the only one. Throws CONFLICT. */
  ofOne(
    all: readonly ListedSnapshot[],
    installation: string | undefined,
  ): readonly ListedSnapshot[] {
    const mine = all.filter((snapshot) => snapshot.installation === installation);
    return mine.length > 0 ? mine : ofOneInstallation(all, this.backend);
  }

  /** Reads a manifest, which must be what its name says. */
  async manifest(listed: ListedSnapshot): Promise<StoredSnapshot> {
    const { cid, installation, takenAt, commits } = listed;
    const manifest = decodeManifest(cid, await this.#bytes(manifestName(listed)));
    const same =
      manifest.installation === installation &&
      Date.parse(manifest.takenAt) === Date.parse(takenAt) &&
      manifest.commits === commits;
    if (same) return { cid, manifest };
    throw new EngineError("CORRUPT", `${manifestName(listed)} is the manifest of another one`, {
      hint: `somebody renamed it: remove it from ${this.backend}`,
    });
  }

  async sendManifest({ cid, manifest }: StoredSnapshot): Promise<number> {
    const listed = { ...manifest, cid };
    const { bytes } = encodeManifest(manifest);
    const body = { bytes: bytes.length, stream: once(bytes) };
    await this.#files.writeNamed(manifestName(listed), body, this.#options);
    await this.manifest(listed);
    return bytes.length;
  }

  async removeManifest(listed: ListedSnapshot): Promise<void> {
    await this.#files.removeNamed(manifestName(listed), this.#options);
  }

  /** Parts of an installation with their lengths. */
  async parts(installation: string): Promise<ReadonlyMap<string, number>> {
    const files = await this.#files.listNamed(`${partFolder}/${installation}`, this.#options);
    return new Map(files.map(({ name, bytes }) => [posix.basename(name, ".parquet"), bytes]));
  }

  /** Sends a part, and reads it back; one that arrived damaged does not stay. */
  async sendPart(installation: string, part: SnapshotPart, path: string): Promise<void> {
    await this.#verified.send(partName(installation, part.cid.toString()), partObject(part), path);
  }

  /** Whether a part's bytes there have its CID. */
  async isWhole(installation: string, part: SnapshotPart): Promise<boolean> {
    return await this.#verified.isWhole(
      partName(installation, part.cid.toString()),
      partObject(part),
    );
  }

  /** The bytes of a part; the stream throws CORRUPT instead of ending when they are others. */
  readPart(installation: string, part: SnapshotPart): ByteStream {
    return this.#verified.read(partName(installation, part.cid.toString()), partObject(part));
  }

  async removePart(installation: string, cid: string): Promise<void> {
    await this.#files.removeNamed(partName(installation, cid), this.#options);
  }

  async #bytes(name: string): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    let length = 0;
    for await (const piece of await this.#files.readNamed(name, this.#options)) {
      pieces.push(Uint8Array.from(piece));
      length += piece.length;
      if (length > manifestBytesMax) throw new EngineError("CORRUPT", `${name} is no manifest`);
    }
    return Buffer.concat(pieces);
  }
}

function partName(installation: string, cid: string): string {
  return `${partFolder}/${installation}/${cid}.parquet`;
}

async function* once(bytes: Uint8Array): ByteStream {
  yield await Promise.resolve(bytes);
}
