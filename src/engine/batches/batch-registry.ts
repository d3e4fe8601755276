import { randomUUID } from "node:crypto";
import {
  closeSync,
  createReadStream,
  fdatasyncSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { addressBytes, addressFile } from "#content/address-file.ts";
import { damagedBatch, unreadableBatch, unwritableBatch } from "#engine/batches/batch-error.ts";
import {
  BatchJournal,
  journalBegin,
  type JournalPlace,
  parseCursor,
} from "#engine/batches/batch-journal.ts";
import {
  type ArrowDescription,
  describeArrowBytes,
  describeArrowFile,
} from "#engine/batches/describe-arrow.ts";
import { JournalFollower } from "#engine/batches/journal-follower.ts";
import { writeAddressed } from "#engine/batches/write-addressed.ts";
import { syncPath } from "#engine/snapshots/sync-path.ts";
import { EngineError } from "#model/engine-error.ts";
import type { ArrowPiece, BatchCheck, BatchRecord, BatchTags } from "#model/record-batch.ts";

/** What decides the CID of a batch. */
export const batchProfile = "unixfs-v1-2025";
export const batchDraftPrefix = ".draft-";
const readBytes = 1024 * 1024;

export interface BatchRegistryOptions {
  readonly now?: () => Date;
  /**
   * Whether a batch is on the disk before it is told of. Without it a batch may be lost, or be
   * found damaged, after a loss of power; never after the end of a process. Default true.
   */
  readonly durable?: boolean;
  readonly segmentBytes?: number;
}

/**
 * Arrow files under their CIDs, and a journal that tells of them, in a folder that any number of
 * processes use at once, without asking each other. A file appears whole, by a rename, and before
 * the record that names it; it never changes, so that whoever has it mapped may go on reading
 * even after it was given up.
 */
export class BatchRegistry {
  readonly directory: string;
  readonly journal: BatchJournal;
  readonly #now: () => Date;
  readonly #durable: boolean;
  /** Asked of the disk once: it is a tenth of what a small batch costs. */
  #isMade = false;

  constructor(directory: string, options: BatchRegistryOptions = {}) {
    this.directory = directory;
    this.journal = new BatchJournal(join(directory, "journal"), options.segmentBytes);
    this.#now = options.now ?? (() => new Date());
    this.#durable = options.durable ?? true;
  }

  /** Publishes a result while it comes. */
  async publish(pieces: AsyncIterable<ArrowPiece>, tags: BatchTags = {}): Promise<BatchRecord> {
    let about: ArrowDescription = { rows: 0, columns: [] };
    const bytesOf = async function* () {
      for await (const { rows, columns, bytes } of pieces) {
        yield bytes;
        about = { rows: about.rows + rows, columns };
      }
    };
    return await this.#place(bytesOf(), tags, async () => Promise.resolve(about));
  }

  /** Publishes a copy of an Arrow file. */
  async publishFile(path: string, tags: BatchTags = {}): Promise<BatchRecord> {
    const bytesOf = async function* () {
      try {
        for await (const bytes of createReadStream(path, { highWaterMark: readBytes })) {
          yield [bytes as Buffer];
        }
      } catch (error) {
        throw unreadableBatch(path, error);
      }
    };
    // What was copied is what is described, whatever happens to the file meanwhile.
    return await this.#place(bytesOf(), tags, describeArrowFile);
  }

  /**
   * Publishes an Arrow file that is in memory: for small ones, of which there are many. The calls
   * are the synchronous ones, which cost less than a change of threads.
   */
  publishBytes(bytes: Uint8Array, tags: BatchTags = {}): BatchRecord {
    const about = describeArrowBytes(bytes);
    const { cid, size } = addressBytes(bytes, batchProfile);
    const record = this.#record(cid, size, about, tags);
    const draft = this.#draft();
    try {
      if (!this.#isMade) mkdirSync(this.directory, { recursive: true });
      this.#isMade = true;
      const file = openSync(draft, "wx", 0o444);
      try {
        writeFileSync(file, bytes);
        if (this.#durable) fdatasyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(draft, this.path(cid));
    } catch (error) {
      rmSync(draft, { force: true });
      throw unwritableBatch(this.directory, error);
    }
    if (this.#durable) syncFolder(this.directory);
    this.journal.append(record, this.#durable);
    return record;
  }

  /** What is there, the newest first: a batch that was published again counts as new. */
  async list(): Promise<readonly BatchRecord[]> {
    const newest = new Map<string, BatchRecord>();
    for (const { batch } of this.#records(journalBegin)) {
      newest.delete(batch.cid);
      newest.set(batch.cid, batch);
    }
    const records = [...newest.values()].toReversed();
    const there = await Promise.all(records.map(async ({ cid }) => await this.has(cid)));
    return records.filter((_, position) => there[position]);
  }

  /** A batch by CID, the beginning of it, or `newest`. Throws NOT_FOUND. */
  async find(reference: string): Promise<BatchRecord> {
    const batches = await this.list();
    const found =
      reference === "newest"
        ? batches.slice(0, 1)
        : batches.filter(({ cid }) => cid.startsWith(reference));
    const [only] = found;
    if (only !== undefined && found.length === 1) return only;
    const what = found.length > 1 ? `${found.length} batches begin with` : "no batch is";
    throw new EngineError("NOT_FOUND", `${what} "${reference}" in ${this.directory}`, {
      hint: "`thermocline batch ls` lists them",
    });
  }

  path(cid: string): string {
    return join(this.directory, `${cid}.arrow`);
  }

  async has(cid: string): Promise<boolean> {
    return (await stat(this.path(cid)).catch(() => undefined)) !== undefined;
  }

  /** Reads the bytes again and says whether they have their CID. */
  async check(cid: string): Promise<BatchCheck> {
    if (!(await this.has(cid))) return { cid, state: "missing", bytes: 0 };
    const found = await addressFile(createReadStream(this.path(cid)), batchProfile).catch(
      (error: unknown) => {
        throw unreadableBatch(this.path(cid), error);
      },
    );
    return { cid, state: found.cid === cid ? "intact" : "damaged", bytes: found.size };
  }

  /** Where a batch lies, after its bytes were read and have its CID. Throws CORRUPT, NOT_FOUND. */
  async verified(cid: string): Promise<string> {
    const { state } = await this.check(cid);
    if (state === "intact") return this.path(cid);
    if (state === "missing") {
      throw new EngineError("NOT_FOUND", `the batch ${cid} is not in ${this.directory}`, {
        hint: "it was given up, or never published here",
      });
    }
    throw damagedBatch(this.path(cid));
  }

  /** The bytes of a small batch, checked: one reading. Throws CORRUPT, NOT_FOUND. */
  async bytes(cid: string): Promise<Uint8Array> {
    const bytes = await this.#read(this.path(cid)).catch((error: unknown) => {
      throw unreadableBatch(this.path(cid), error);
    });
    if (addressBytes(bytes, batchProfile).cid !== cid) throw damagedBatch(this.path(cid));
    return bytes;
  }

  /** Small files without a change of threads, of which reading one would take four. */
  async #read(path: string): Promise<Uint8Array> {
    return statSync(path).size > readBytes ? await readFile(path) : readFileSync(path);
  }

  /** Batches as they are published: from now on, after a cursor, or from `"0.0"` on all. */
  follow(after?: string, onEnd?: () => void): JournalFollower {
    const from = after === undefined ? this.journal.end() : parseCursor(after);
    return new JournalFollower(this.journal, from, onEnd);
  }

  close(): void {
    this.journal.close();
  }

  *#records(from: JournalPlace) {
    for (let place = from; ;) {
      const { records, next } = this.journal.read(place);
      if (next.segment === place.segment && next.offset === place.offset) return;
      yield* records;
      place = next;
    }
  }

  /** Writes a file, gives it its name, and tells of it. */
  async #place(
    pieces: AsyncIterable<readonly Uint8Array[]>,
    tags: BatchTags,
    describe: (draft: string) => Promise<ArrowDescription>,
  ): Promise<BatchRecord> {
    const draft = this.#draft();
    const durable = this.#durable;
    try {
      await mkdir(this.directory, { recursive: true });
      const { cid, size } = await writeAddressed(draft, pieces, { profile: batchProfile, durable });
      const record = this.#record(cid, size, await describe(draft), tags);
      await rename(draft, this.path(cid));
      if (durable) await syncPath(this.directory);
      this.journal.append(record, durable);
      return record;
    } catch (error) {
      throw unwritableBatch(this.directory, error);
    } finally {
      await rm(draft, { force: true });
    }
  }

  #record(
    cid: string,
    bytes: number,
    { rows, columns }: ArrowDescription,
    tags: BatchTags,
  ): BatchRecord {
    return { cid, rows, bytes, created: this.#now().toISOString(), columns, tags };
  }

  #draft(): string {
    return join(this.directory, `${batchDraftPrefix}${randomUUID()}`);
  }
}

function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
