import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import type { ListedEntry } from "#index/inventories/inventory-store.ts";
import type { ReadRowsOptions } from "#index/row-files/read-rows.ts";
import type { InventoryFiles } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import type { ColumnBatch } from "#model/sql.ts";

/** The manifest.json of an S3 Inventory, as Amazon documents it. */
const manifestSchema = z.looseObject({
  sourceBucket: z.string(),
  creationTimestamp: z.coerce.number().int(),
  fileFormat: z.string(),
  fileSchema: z.string(),
  files: z.array(
    z.looseObject({ key: z.string(), size: z.int(), MD5checksum: z.string().optional() }),
  ),
});

/** An S3 Inventory in a folder: its manifest and where its files are. */
export interface S3Inventory {
  /** Names it among all inventories of the bucket. */
  readonly source: string;
  readonly bucket: string;
  readonly createdAt: Date;
  readonly format: "csv" | "parquet";
  /** Of CSV files, which have no header. */
  readonly columns: readonly string[];
  readonly files: readonly { readonly path: string; readonly md5: string | undefined }[];
}

/** Reads a manifest.json and finds the files that it names, beside it or as S3 lays them out. */
export async function openS3Inventory(path: string): Promise<S3Inventory> {
  const manifest = await readManifest(path);
  const format = manifest.fileFormat.toLowerCase();
  if (format !== "csv" && format !== "parquet") {
    throw new EngineError("NOT_SUPPORTED", `${path}: inventories as ${manifest.fileFormat}`, {
      hint: "have S3 write this inventory as CSV or Parquet",
    });
  }
  const files = [];
  for (const { key, size, MD5checksum: md5 } of manifest.files) {
    files.push({ path: await findFile(path, key, size), md5 });
  }
  const createdAt = new Date(manifest.creationTimestamp);
  return {
    source: `s3-inventory of ${createdAt.toISOString()}`,
    bucket: manifest.sourceBucket,
    createdAt,
    format,
    columns: manifest.fileSchema.split(",").map((name) => snakeCase(name.trim())),
    files,
  };
}

/** Reads the rows of one file. */
export type RowReader = (path: string, options: ReadRowsOptions) => AsyncIterable<ColumnBatch>;

const wanted = ["key", "size", "is_latest", "is_delete_marker"];

/** What an inventory lists, behind a cursor: the newest version of each key. */
export async function* s3Entries(
  { files, format, columns }: S3Inventory,
  inventoryFiles: InventoryFiles,
  read: RowReader,
  cursor: string | undefined,
): AsyncGenerator<ListedEntry> {
  const [first = 0, past = 0] = (cursor ?? "0:0").split(":").map(Number);
  for (const [number, { path, md5 }] of files.entries()) {
    if (number < first) continue;
    await checkFile(path, md5);
    const after = number === first ? past : 0;
    const options = { format, wanted, after, ...(format === "csv" ? { columns } : {}) };
    for await (const batch of read(path, options)) {
      yield* entriesOf(batch, inventoryFiles, number, format === "csv");
    }
  }
}

function* entriesOf(
  { rows, columns }: ColumnBatch,
  inventoryFiles: InventoryFiles,
  file: number,
  isEncoded: boolean,
): Generator<ListedEntry> {
  const [positions, keys, sizes, latest, markers] = columns;
  for (let row = 0; row < rows; row += 1) {
    if (latest?.[row] === "false" || markers?.[row] === "true") continue;
    const cursor = `${file}:${Number(positions?.[row]) + 1}`;
    const text = String(keys?.[row]);
    const copy = inventoryFiles.copyOf(isEncoded ? decoded(text) : text, Number(sizes?.[row]));
    yield copy === undefined ? { foreign: true, cursor } : { ...copy, cursor };
  }
}

/** Keys in CSV inventories are URL-encoded. */
function decoded(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll("+", " "));
  } catch {
    return key;
  }
}

function snakeCase(name: string): string {
  return name.replaceAll(/([a-z])([A-Z])/g, "$1_$2").toLowerCase();
}

async function readManifest(path: string): Promise<z.output<typeof manifestSchema>> {
  try {
    return manifestSchema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (cause) {
    throw new EngineError("UNREADABLE", `${path} is not the manifest.json of an S3 Inventory`, {
      cause,
      hint: "name the manifest.json that S3 writes beside the inventory, on the controller's machine",
    });
  }
}

async function findFile(manifest: string, key: string, bytes: number): Promise<string> {
  const folder = dirname(manifest);
  const name = basename(key);
  const places = [join(folder, name), join(folder, "data", name), join(folder, "../data", name)];
  for (const place of places) {
    const found = await stat(place).catch(() => undefined);
    if (found?.isFile() !== true) continue;
    if (found.size === bytes) return place;
    throw new EngineError("CORRUPT", `${place} has ${found.size} bytes, not ${bytes}`, {
      hint: "download it again",
    });
  }
  throw new EngineError("NOT_FOUND", `${name}, which ${manifest} names, is not there`, {
    hint: `put it beside the manifest, or into ${join(folder, "../data")} as S3 does`,
  });
}

async function checkFile(path: string, md5: string | undefined): Promise<void> {
  if (md5 === undefined) return;
  const hash = createHash("md5");
  for await (const piece of createReadStream(path)) hash.update(piece as Uint8Array);
  if (hash.digest("hex") === md5) return;
  throw new EngineError("CORRUPT", `${path} is not the file that the manifest names (MD5)`, {
    hint: "download it again",
  });
}
