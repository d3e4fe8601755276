import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile, mkdir, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { addressFile } from "#content/address-file.ts";
import { clearAbandoned } from "#engine/clear-abandoned.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import { EngineError } from "#model/engine-error.ts";

const recordSchema = z.object({
  schemaVersion: z.literal(1),
  /** Root of the file's bytes; the file is called `<cid>.duckdb`. */
  cid: z.string().regex(/^[a-z0-9]+$/),
  bytes: z.int(),
  /** Of the controller that published it. */
  epoch: z.int(),
  commits: z.int(),
  publishedAt: z.string(),
  node: z.string(),
  /** Nothing was written after it in its epoch: the controller ended cleanly. */
  final: z.boolean(),
});

/** One published state of the index. */
export type PublishedIndex = Readonly<z.output<typeof recordSchema>>;

const profile = "unixfs-v1-2025";

/**
 * Copies of the index in a folder that controllers share: each named by its CID and announced by
 * a small record, both of which appear whole or not at all. Who was replaced may go on
 * publishing: its epoch is older, so that nobody takes what it wrote.
 */
export class PublishedIndexes {
  readonly directory: string;
  readonly #keep: number;

  constructor(directory: string, keep: number) {
    this.directory = directory;
    this.#keep = keep;
  }

  async publish(
    index: ObjectIndex,
    about: Pick<PublishedIndex, "epoch" | "node" | "final">,
    now: Date,
  ): Promise<PublishedIndex> {
    await mkdir(this.directory, { recursive: true });
    const draft = this.#path(`${randomUUID()}.draft`);
    try {
      const { commits } = await index.terms.copyIndex(draft);
      const { cid, size } = await addressFile(createReadStream(draft), profile);
      await syncFile(draft);
      await rename(draft, this.#path(`${cid}.duckdb`));
      const publishedAt = now.toISOString();
      const record = {
        schemaVersion: 1,
        cid,
        bytes: size,
        commits,
        publishedAt,
        ...about,
      } as const;
      const text = this.#path(`${randomUUID()}.draft`);
      await writeFile(text, `${JSON.stringify(record, undefined, 2)}\n`);
      await syncFile(text);
      await rename(text, this.#path(`${recordName(record)}.json`));
      await this.#prune();
      return record;
    } finally {
      await rm(draft, { force: true });
      await rm(`${draft}.wal`, { force: true });
    }
  }

  /** What was published, the newest first. */
  async list(): Promise<readonly PublishedIndex[]> {
    return (await this.#list()).records;
  }

  async #list(): Promise<{
    readonly records: readonly PublishedIndex[];
    readonly areAll: boolean;
  }> {
    let isRead = true;
    const names = await readdir(this.directory).catch(() => {
      isRead = false;
      return [];
    });
    const found = await Promise.all(
      names.filter((name) => name.endsWith(".json")).map((name) => this.#read(name)),
    );
    const records = found.filter((record) => record !== undefined);
    return {
      records: records.toSorted(
        (a, b) => b.epoch - a.epoch || b.commits - a.commits || (a.final ? -1 : 1),
      ),
      // What cannot be read now may be what keeps a file.
      areAll: isRead && records.length === found.length,
    };
  }

  /** Copies a snapshot to a path; CORRUPT when its bytes are not the ones that were published. */
  async fetch(snapshot: PublishedIndex, path: string): Promise<void> {
    const draft = `${path}.${randomUUID()}`;
    try {
      await copyFile(this.#path(`${snapshot.cid}.duckdb`), draft);
      const { cid } = await addressFile(createReadStream(draft), profile);
      if (cid !== snapshot.cid) {
        throw new EngineError("CORRUPT", `the index snapshot ${snapshot.cid} is damaged`, {
          hint: `check the disk behind ${this.directory}`,
        });
      }
      await syncFile(draft);
      await rename(draft, path);
    } finally {
      await rm(draft, { force: true });
    }
  }

  /** A record that cannot be read is as good as none. */
  async #read(name: string): Promise<PublishedIndex | undefined> {
    try {
      return recordSchema.parse(JSON.parse(await readFile(this.#path(name), "utf8")));
    } catch {
      return undefined;
    }
  }

  /** Keeps the newest; others may be reading an older one only while they copy it. */
  async #prune(): Promise<void> {
    const { records: all, areAll } = await this.#list();
    const kept = new Set(all.slice(0, this.#keep).map(({ cid }) => cid));
    for (const old of all.slice(this.#keep)) {
      await rm(this.#path(`${recordName(old)}.json`), { force: true });
      if (!kept.has(old.cid)) await rm(this.#path(`${old.cid}.duckdb`), { force: true });
    }
    // Of those who were killed: while they copied it, before they announced it, or here.
    await clearAbandoned(this.directory, (name) => /^[0-9a-f-]{36}\.draft(\..*)?$/.test(name));
    if (!areAll) return;
    const unannounced = (name: string) => name.endsWith(".duckdb") && !kept.has(name.slice(0, -7));
    await clearAbandoned(this.directory, unannounced);
  }

  #path(name: string): string {
    return join(this.directory, name);
  }
}

function recordName({ epoch, commits, final }: PublishedIndex): string {
  const ordered = `${String(epoch).padStart(10, "0")}-${String(commits).padStart(15, "0")}`;
  return final ? `${ordered}-final` : ordered;
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
