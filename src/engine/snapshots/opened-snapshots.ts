import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { indexOptions } from "#engine/open-index.ts";
import type { SnapshotStore, StoredSnapshot } from "#engine/snapshots/snapshot-store.ts";
import { verifiedTable } from "#engine/snapshots/verified-table.ts";
import { schemaVersion } from "#index/migrate.ts";
import { ObjectIndex } from "#index/object-index.ts";
import { loadSnapshot } from "#index/snapshot/load-snapshot.ts";
import type { TableFiles } from "#index/snapshot/table-files.ts";

/** An index that is a snapshot; nothing writes to it. */
export interface OpenedSnapshot extends AsyncDisposable {
  readonly index: ObjectIndex;
}

/** Snapshots that stay loaded in the data directory; the one not read for longest goes first. */
const loadedMax = 4;
/** Loaded by somebody who died. */
const abandonedAfterMs = 24 * 3_600_000;

interface Opening {
  readonly index: Promise<ObjectIndex>;
  users: number;
}

/**
 * Snapshots as indexes that can be asked. One is loaded from its parts, all of them checked, when
 * it is first asked for, and stays in the folder `opened` for whoever asks next, also in another
 * process: they are opened for reading only.
 */
export class OpenedSnapshots {
  readonly #store: SnapshotStore;
  readonly #options: ReturnType<typeof indexOptions>;
  readonly #opened = new Map<string, Opening>();

  constructor(store: SnapshotStore, options: ReturnType<typeof indexOptions>) {
    this.#store = store;
    this.#options = options;
  }

  async open(snapshot: StoredSnapshot): Promise<OpenedSnapshot> {
    const known = this.#opened.get(snapshot.cid);
    const opening = known ?? { index: this.#open(snapshot), users: 0 };
    this.#opened.set(snapshot.cid, opening);
    opening.users += 1;
    const release = async (): Promise<void> => {
      opening.users -= 1;
      if (opening.users > 0) return;
      if (this.#opened.get(snapshot.cid) === opening) this.#opened.delete(snapshot.cid);
      await (await opening.index).close();
    };
    try {
      return { index: await opening.index, [Symbol.asyncDispose]: release };
    } catch (error) {
      this.#opened.delete(snapshot.cid);
      throw error;
    }
  }

  async #open(snapshot: StoredSnapshot): Promise<ObjectIndex> {
    // An index of another schema is not opened for reading: it is loaded again.
    const path = join(this.#folder, `${snapshot.cid}-${schemaVersion}.duckdb`);
    const now = new Date();
    const isLoaded = await utimes(path, now, now).then(
      () => true,
      () => false,
    );
    if (!isLoaded) await this.#load(snapshot, path);
    const taken = new Date(snapshot.manifest.takenAt);
    return await ObjectIndex.open(path, { ...this.#options, readOnly: true, now: () => taken });
  }

  async #load({ manifest }: StoredSnapshot, path: string): Promise<void> {
    const now = new Date(manifest.takenAt);
    await mkdir(this.#folder, { recursive: true });
    await this.#makeRoom();
    const draft = `${path}.${randomUUID()}.draft`;
    try {
      const tables: TableFiles[] = [];
      for (const table of manifest.tables) tables.push(await verifiedTable(this.#store, table));
      const { memoryLimit, threads } = this.#options;
      await loadSnapshot(draft, tables, { schema: manifest.schema, memoryLimit, threads, now });
      // Opening it once for writing brings it to the schema of today.
      await (await ObjectIndex.open(draft, { ...this.#options, now: () => now })).close();
      await rename(draft, path);
    } finally {
      await rm(draft, { force: true });
      await rm(`${draft}.wal`, { force: true });
    }
  }

  /** Who has one open keeps it: the file lives on until it is closed. */
  async #makeRoom(): Promise<void> {
    const names = await readdir(this.#folder);
    const files = await Promise.all(
      names.map(async (name) => {
        const path = join(this.#folder, name);
        const found = await stat(path).catch(() => undefined);
        return { path, usedMs: found?.mtimeMs ?? 0 };
      }),
    );
    const loaded = files.filter(({ path }) => path.endsWith(".duckdb"));
    const spare = loaded.toSorted((a, b) => b.usedMs - a.usedMs).slice(loadedMax - 1);
    const abandoned = files.filter(
      ({ path, usedMs }) => !path.endsWith(".duckdb") && Date.now() - usedMs > abandonedAfterMs,
    );
    for (const { path } of [...spare, ...abandoned]) await rm(path, { force: true });
  }

  get #folder(): string {
    return join(this.#store.directory, "opened");
  }
}
