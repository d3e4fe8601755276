import { mkdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { passingFolder, passingMarks } from "#engine/snapshots/passing-marks.ts";
import { distinctParts } from "#engine/snapshots/snapshot-parts.ts";
import type { SnapshotStore } from "#engine/snapshots/snapshot-store.ts";

/** So many that were only fetched to be asked stay here. */
const passingMax = 4;
/** Parts that came this recently may be of a snapshot that another process is fetching. */
const settledAfterMs = 60 * 60_000;

/**
 * Snapshots that were fetched to be asked, and not to be kept: each has a mark in the folder
 * `passing`, and goes when several others were fetched after it. Who asks for the newest one
 * every hour does not fill the disk.
 */
export class PassingSnapshots {
  readonly #store: SnapshotStore;

  constructor(store: SnapshotStore) {
    this.#store = store;
  }

  /** Notes that a snapshot was asked for; one that was here to stay still is. */
  async mark(cid: string, isNew: boolean): Promise<void> {
    if (!isNew && !(await this.#marks()).includes(cid)) return;
    await mkdir(this.#folder, { recursive: true });
    await writeFile(join(this.#folder, cid), "");
  }

  /** It was fetched to be kept. */
  async keep(cid: string): Promise<void> {
    await rm(join(this.#folder, cid), { force: true });
  }

  /** Gives up those that were not asked for longest, and the parts that only they had. */
  async trim(now: Date): Promise<void> {
    const spare = (await this.#marks()).slice(passingMax);
    if (spare.length === 0) return;
    const here = await this.#store.list();
    for (const cid of spare) {
      if (here.snapshots.some((snapshot) => snapshot.cid === cid)) await this.#store.drop(cid);
      await this.keep(cid);
    }
    if (here.damaged.length === 0) await this.#trimParts(now);
  }

  async #trimParts(now: Date): Promise<void> {
    const { snapshots } = await this.#store.list();
    const named = new Set(
      snapshots.flatMap(({ manifest }) => distinctParts(manifest).map(({ cid }) => cid.toString())),
    );
    for (const [cid] of await this.#store.parts()) {
      if (named.has(cid)) continue;
      const found = await stat(this.#store.partPath(cid)).catch(() => undefined);
      const ageMs = now.getTime() - (found?.mtimeMs ?? now.getTime());
      if (ageMs > settledAfterMs) await this.#store.removePart(cid);
    }
  }

  async #marks(): Promise<readonly string[]> {
    return await passingMarks(this.#store.directory);
  }

  get #folder(): string {
    return passingFolder(this.#store.directory);
  }
}
