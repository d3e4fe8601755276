import { lstatSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { z } from "zod";
import type { Capacity, Reservation } from "#drivers/contract/capacity.ts";
import { replaceFile } from "#drivers/local/replace-file.ts";
import type { StoreFolder } from "#drivers/local/store-folder.ts";

/** A folder changed this recently may change again within the same time stamp. */
const stampCertainAfterMs = 2_000;
/** Other processes' writes are looked for this often, and never for more than 2 % of the time. */
const refreshAfterMs = 60_000;
const refreshShareOfTime = 50;
/** Scanning gives way to other work after this long. */
const sliceMs = 5;

const cacheSchema = z.record(z.string(), z.tuple([z.string(), z.int().nonnegative()]));

interface ShardUsage {
  bytes: number;
  /** Modification time of the folder these bytes belong to; undefined when not certain. */
  stamp: string | undefined;
}

/**
 * Bytes that the store holds. Stored files never change in place, so a folder whose
 * modification time is the one we know still holds what we counted. That makes the count exact
 * at opening, after crashes and with several processes, and needs a scan only of what changed.
 */
export class Usage {
  readonly capacity: Capacity;
  readonly #folder: StoreFolder;
  readonly #shards = new Map<string, ShardUsage>();
  #scan: Promise<void> | undefined;
  #scannedAt = 0;
  #scanTookMs = 0;

  constructor(folder: StoreFolder, capacity: Capacity) {
    this.#folder = folder;
    this.capacity = capacity;
    this.#load();
  }

  /** Brings the count up to date when it is older than this. */
  async refresh(olderThanMs: number): Promise<void> {
    const waitMs = Math.max(olderThanMs, this.#scanTookMs * refreshShareOfTime);
    if (this.#scannedAt > 0 && performance.now() - this.#scannedAt < waitMs) return;
    this.#scan ??= this.#scanChanged().finally(() => {
      this.#scan = undefined;
    });
    await this.#scan;
  }

  /** Sets room aside for a write that has begun. NO_SPACE when the capacity does not allow it. */
  async reserve(bytes: number): Promise<Reservation> {
    if (this.capacity.isLimited) await this.refresh(refreshAfterMs);
    return this.capacity.reserve(bytes);
  }

  /** Counts what this process just stored or removed in a shard. */
  changed(shard: string, bytes: number): void {
    const known = this.#shards.get(shard);
    this.#shards.set(shard, { bytes: (known?.bytes ?? 0) + bytes, stamp: undefined });
    this.capacity.add(bytes);
  }

  /** Keeps the count for the next opening; losing it costs only a scan. */
  save(): void {
    const certain = [...this.#shards].flatMap(([shard, { bytes, stamp }]) =>
      stamp === undefined ? [] : [[shard, [stamp, bytes]] as const],
    );
    replaceFile(this.#folder.usageFile, JSON.stringify(Object.fromEntries(certain)));
  }

  #load(): void {
    try {
      const text = readFileSync(this.#folder.usageFile, "utf8");
      for (const [shard, [stamp, bytes]] of Object.entries(cacheSchema.parse(JSON.parse(text)))) {
        this.#shards.set(shard, { bytes, stamp });
        this.capacity.add(bytes);
      }
    } catch {
      // Absent or damaged: everything is counted again.
      this.capacity.add(-this.capacity.usedBytes);
      this.#shards.clear();
    }
  }

  async #scanChanged(): Promise<void> {
    const startedAt = performance.now();
    let sliceStartedAt = startedAt;
    // Those we knew and those there are: a shard that vanished counts nothing any more.
    for (const shard of new Set([...this.#shards.keys(), ...this.#folder.shardNames()])) {
      this.#scanShard(shard);
      if (performance.now() - sliceStartedAt < sliceMs) continue;
      await nextTurn();
      sliceStartedAt = performance.now();
    }
    this.#scannedAt = performance.now();
    this.#scanTookMs = this.#scannedAt - startedAt;
  }

  #scanShard(shard: string): void {
    const path = this.#folder.existingShard(shard);
    const stat = path && lstatSync(path, { bigint: true, throwIfNoEntry: false });
    const known = this.#shards.get(shard);
    if (path === undefined || !stat) {
      this.#shards.delete(shard);
      this.capacity.add(-(known?.bytes ?? 0));
      return;
    }
    const stamp = String(stat.mtimeNs);
    if (known?.stamp === stamp) return;
    let bytes = 0;
    for (const name of readdirSync(path)) {
      bytes += lstatSync(join(path, name), { throwIfNoEntry: false })?.size ?? 0;
    }
    const certain = Date.now() - Number(stat.mtimeMs) > stampCertainAfterMs;
    this.#shards.set(shard, { bytes, stamp: certain ? stamp : undefined });
    this.capacity.add(bytes - (known?.bytes ?? 0));
  }
}
