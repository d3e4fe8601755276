import { existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, type Stats } from "node:fs";
import { open, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { EngineError } from "#model/engine-error.ts";
import { fileError, systemCode } from "#drivers/local/file-error.ts";
import { replaceFile } from "#drivers/local/replace-file.ts";

/** `full`: file and folder entry are forced to disk; `file`: the bytes only; `none`: neither. */
export const durabilities = ["full", "file", "none"] as const;
export type Durability = (typeof durabilities)[number];

const layoutVersion = 1;
const layoutFile = "thermocline-store.json";

const settledAfterMs = 60_000;
const shardPattern = /^[0-9a-f]{3}$/;

/** What a new disk may hold and still count as empty. */
const ignored = new Set(["lost+found", ".DS_Store"]);

/**
 * The folder of one store:
 *
 *     thermocline-store.json   layout version; without it nothing here is touched
 *     objects/<shard>/<name>   stored files, never changed in place
 *     incoming/                files being written
 *     named/<name>             files that are no copies, such as snapshots of the index
 *     usage.json               sizes by shard, a cache that is checked before use
 */
export class StoreFolder {
  readonly root: string;
  readonly objects: string;
  readonly incoming: string;
  readonly usageFile: string;
  readonly layout = layoutVersion;
  readonly #layoutPath: string;
  readonly durability: Durability;
  /** Shards known to exist in this process; the promise is their durable creation. */
  readonly #shards = new Map<string, Promise<void>>();
  /** Shards that were seen to be real folders. */
  readonly #seen = new Set<string>();

  private constructor(root: string, durability: Durability) {
    this.root = root;
    this.objects = join(root, "objects");
    this.incoming = join(root, "incoming");
    this.usageFile = join(root, "usage.json");
    this.#layoutPath = join(root, layoutFile);
    this.durability = durability;
  }

  /** Opens the store, or makes one in an absent or empty folder. */
  static open(path: string, durability: Durability, create: boolean): StoreFolder {
    const folder = new StoreFolder(resolve(path), durability);
    try {
      if (!existsSync(folder.#layoutPath)) folder.#initialise(create);
      folder.#checkLayout();
      mkdirSync(folder.objects, { recursive: true });
      mkdirSync(folder.incoming, { recursive: true });
    } catch (error) {
      throw fileError(error, "cannot open the store", folder.root);
    }
    return folder;
  }

  /**
   * Throws UNAVAILABLE when the store itself has gone. A disk that is not mounted looks like an
   * empty folder: that must never be read as "the copies are lost".
   */
  checkMounted(): void {
    if (existsSync(this.#layoutPath)) return;
    throw new EngineError("UNAVAILABLE", `the store at ${this.root} is not there`, {
      hint: "check that its disk is mounted; nothing was changed",
    });
  }

  /** By what the system knows the folder, whatever paths and mounts lead to it. */
  async systemName(): Promise<string> {
    this.checkMounted();
    try {
      const { dev, ino } = await stat(this.objects, { bigint: true });
      return `${dev}:${ino}`;
    } catch (error) {
      throw fileError(error, "cannot tell which folder it is:", this.objects);
    }
  }

  /** Shards that exist, in the order of listings. */
  shardNames(): readonly string[] {
    this.checkMounted();
    return readdirSync(this.objects)
      .filter((name) => shardPattern.test(name))
      .toSorted();
  }

  /** Makes the shard's folder when needed and returns its path. */
  async shard(shard: string): Promise<string> {
    const path = `${this.objects}/${shard}`;
    let made = this.#shards.get(shard);
    if (made === undefined) {
      made = this.#makeShard(path);
      this.#shards.set(shard, made);
      made.catch(() => this.#shards.delete(shard));
    }
    await made;
    return path;
  }

  /** Forces a folder's entries to disk when the durability asks for it. */
  async syncFolder(path: string): Promise<void> {
    if (this.durability !== "full") return;
    const handle = await open(path, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  get syncsFiles(): boolean {
    return this.durability !== "none";
  }

  /** The path of a shard, or undefined when absent. Refuses anything but a real folder. */
  existingShard(shard: string): string | undefined {
    const path = `${this.objects}/${shard}`;
    if (this.#shards.has(shard)) return path;
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    if (!stat.isDirectory()) throw notAFolder(path);
    if (isSettled(stat)) this.#shards.set(shard, Promise.resolve());
    return path;
  }

  /** The same, looked for once: for callers to whom a folder that has gone is no answer. */
  seenShard(shard: string): string | undefined {
    if (this.#seen.has(shard)) return `${this.objects}/${shard}`;
    const path = this.existingShard(shard);
    if (path !== undefined) this.#seen.add(shard);
    return path;
  }

  async #makeShard(path: string): Promise<void> {
    try {
      mkdirSync(path);
    } catch (error) {
      if (systemCode(error) !== "EEXIST") throw error;
      const stat = lstatSync(path);
      if (!stat.isDirectory()) throw notAFolder(path);
      if (isSettled(stat)) return;
    }
    await this.syncFolder(this.objects);
  }

  #initialise(create: boolean): void {
    const entries = existsSync(this.root) ? readdirSync(this.root) : [];
    // Another process may be making the same store right now: its half-made file is ours.
    const foreign = entries.filter((name) => !ignored.has(name) && !name.startsWith(layoutFile));
    if (foreign.length > 0 && !existsSync(this.#layoutPath)) {
      throw new EngineError(
        "REFUSED",
        `${this.root} is not empty and holds no store (found "${foreign[0]}")`,
        { hint: "point `path` at an empty or new folder; import existing files instead" },
      );
    }
    if (!create) {
      throw new EngineError("UNAVAILABLE", `there is no store at ${this.root}`, {
        hint: "check that its disk is mounted, or set `create: true` to make one here",
      });
    }
    mkdirSync(this.root, { recursive: true });
    const text = `${JSON.stringify({ store: "thermocline", layout: layoutVersion })}\n`;
    replaceFile(this.#layoutPath, text);
  }

  #checkLayout(): void {
    const path = this.#layoutPath;
    const layout = layoutOf(readFileSync(path, "utf8"));
    if (layout === layoutVersion) return;
    throw new EngineError(
      "NOT_SUPPORTED",
      `${path}: layout ${String(layout)} is unknown, this version reads ${layoutVersion}`,
      { hint: "use the version of thermocline that made this store, or a newer one" },
    );
  }
}

/** Whether a folder is old enough that whoever made it has forced it to disk since. */
function isSettled(stat: Stats): boolean {
  return Date.now() - stat.birthtimeMs > settledAfterMs;
}

function layoutOf(text: string): unknown {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null && "layout" in parsed
      ? parsed.layout
      : undefined;
  } catch {
    return undefined;
  }
}

function notAFolder(path: string): EngineError {
  return new EngineError("REFUSED", `${path} is not a folder`, {
    hint: "a store holds no symbolic links: remove it, then verify this backend",
  });
}
