import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { checkMd5 } from "#engine/imports/check-md5.ts";
import type {
  InventoryFile,
  InventoryPlace,
  OpenInventoryFile,
} from "#engine/imports/inventory-place.ts";
import type { BucketFile, ByteStream, InventoryFiles } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";

/** A manifest.json is some hundred bytes for each of its files. */
const manifestBytesMax = 256 * 1024 * 1024;

/**
 * An S3 Inventory where S3 writes it. One file after the other is fetched into a folder, checked,
 * read and removed; one that was fetched before the process died is not fetched again.
 */
export class BucketInventory implements InventoryPlace {
  readonly name: string;
  readonly #files: InventoryFiles;
  readonly #manifest: BucketFile;
  readonly #folder: string;

  private constructor(files: InventoryFiles, manifest: BucketFile, folder: string) {
    this.name = urlOf(manifest);
    this.#files = files;
    this.#manifest = manifest;
    this.#folder = folder;
  }

  /** By the URL of a manifest.json, or of the folder in which S3 writes one inventory a day. */
  static async find(files: InventoryFiles, url: string, folder: string): Promise<BucketInventory> {
    const named = parseUrl(url);
    const manifest = named.key.endsWith(manifestName) ? named : await newestIn(files, named);
    return new BucketInventory(files, manifest, folder);
  }

  async manifest(): Promise<string> {
    const bytes = await this.#text(this.#manifest);
    const beside = this.#manifest.key.replace(/[^/]*$/u, "manifest.checksum");
    const sum = await this.#text({ ...this.#manifest, key: beside }).catch(unlessAbsent);
    const md5 = createHash("md5").update(bytes).digest("hex");
    if (sum !== undefined && sum.toString("utf8").trim() !== md5) {
      throw new EngineError("CORRUPT", `${this.name} does not match its manifest.checksum`, {
        hint: "S3 may be writing it: try again in a minute, or take an earlier inventory",
      });
    }
    return bytes.toString("utf8");
  }

  async expect(files: readonly InventoryFile[]): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const wanted = new Set(files.map(localName));
    for (const name of await readdir(this.#folder)) {
      if (!wanted.has(name)) await rm(join(this.#folder, name), { recursive: true });
    }
  }

  async open(file: InventoryFile): Promise<OpenInventoryFile> {
    const path = join(this.#folder, localName(file));
    const found = await stat(path).catch(() => undefined);
    if (found?.size !== file.bytes) await this.#fetch(file, path);
    await checkMd5(path, file.md5).catch(async (error: unknown) => {
      await rm(path, { force: true });
      throw error;
    });
    return { path, [Symbol.asyncDispose]: () => rm(path, { force: true }) };
  }

  async #fetch({ key, bytes }: InventoryFile, path: string): Promise<void> {
    const unfinished = `${path}.part`;
    const place = { bucket: this.#manifest.bucket, key };
    const stream = exactly(this.#files.read(place), bytes, urlOf(place));
    await pipeline(stream, createWriteStream(unfinished));
    await rename(unfinished, path);
  }

  async #text(place: BucketFile): Promise<Buffer> {
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    for await (const piece of this.#files.read(place)) {
      bytes += piece.length;
      if (bytes > manifestBytesMax) {
        throw new EngineError("CORRUPT", `${urlOf(place)} is too large for a manifest`);
      }
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  }
}

const manifestName = "manifest.json";
const scheme = "s3://";

function parseUrl(url: string): BucketFile {
  const [bucket = "", ...key] = url.slice(scheme.length).split("/");
  return { bucket, key: key.join("/").replace(/\/+$/u, "") };
}

function urlOf({ bucket, key }: BucketFile): string {
  return `${scheme}${bucket}/${key}`;
}

/** S3 names the folder of each inventory by its time: `2026-11-21T01-00Z`. */
async function newestIn(files: InventoryFiles, { bucket, key }: BucketFile): Promise<BucketFile> {
  const prefix = key === "" ? "" : `${key}/`;
  let newest: string | undefined;
  // Times of this millennium begin with a 2: what lies in `data/` and `hive/` is not looked through.
  for await (const found of files.keys({ bucket, key: `${prefix}2` })) {
    const name = found.slice(prefix.length);
    if (/^\d{4}-\d\d-\d\dT\d\d-\d\dZ\/manifest\.json$/u.test(name)) newest = found;
  }
  if (newest !== undefined) return { bucket, key: newest };
  throw new EngineError("NOT_FOUND", `there is no S3 Inventory in ${urlOf({ bucket, key })}`, {
    hint: "name the folder of one inventory (s3://BUCKET/PREFIX/SOURCE-BUCKET/NAME), or a manifest.json",
  });
}

function localName({ key, md5 }: InventoryFile): string {
  return `${md5 ?? "file"}-${basename(key)}`;
}

async function* exactly(stream: ByteStream, bytes: number, name: string): ByteStream {
  let seen = 0;
  for await (const piece of stream) {
    seen += piece.length;
    if (seen > bytes) break;
    yield piece;
  }
  if (seen === bytes) return;
  throw new EngineError("CORRUPT", `${name} is not of the ${bytes} bytes that its manifest says`, {
    hint: "S3 may have replaced it: take a newer inventory",
  });
}

function unlessAbsent(error: unknown): undefined {
  if (error instanceof EngineError && error.code === "NOT_FOUND") return undefined;
  throw error;
}
