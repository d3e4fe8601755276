import type { Database } from "#index/database.ts";
import { segmentNames } from "#index/runs/segment-names.ts";
import { segment, type SegmentRange, segments } from "#index/runs/segment.ts";
import type { NameFacts } from "#model/storage-name.ts";

/** A segment of a thousand actions has about 0.2 MiB: room for some hundred batches. */
const keptBytesMax = 64 * 1024 * 1024;

/**
 * Segments of plans. Those that were read together, to name batches by their CIDs, are kept: a
 * worker that takes such a batch asks for its segment soon. Each is handed out once, since workers
 * keep what they fetched; when there are too many the oldest give way, and are read again.
 */
export class SegmentSource {
  readonly #database: Database;
  readonly #kept = new Map<string, Uint8Array>();
  #bytes = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  async one(planCid: string, range: SegmentRange): Promise<Uint8Array> {
    const key = keyOf(planCid, range);
    const kept = this.#kept.get(key);
    this.#drop(key);
    return kept ?? (await this.#database.read((reader) => segment(reader, planCid, range)));
  }

  /** What the objects of a segment are called now: unlike it, this changes. */
  async names(planCid: string, range: SegmentRange): Promise<readonly NameFacts[]> {
    return await this.#database.read((reader) => segmentNames(reader, planCid, range));
  }

  async several(planCid: string, ranges: readonly SegmentRange[]): Promise<readonly Uint8Array[]> {
    const found = await this.#database.read((reader) => segments(reader, planCid, ranges));
    for (const [at, range] of ranges.entries()) this.#keep(keyOf(planCid, range), found[at]);
    return found;
  }

  #keep(key: string, bytes: Uint8Array | undefined): void {
    this.#drop(key);
    if (bytes === undefined) return;
    this.#kept.set(key, bytes);
    this.#bytes += bytes.length;
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= keptBytesMax) return;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    this.#bytes -= this.#kept.get(key)?.length ?? 0;
    this.#kept.delete(key);
  }
}

function keyOf(planCid: string, { from, to }: SegmentRange): string {
  return `${planCid} ${from} ${to}`;
}
