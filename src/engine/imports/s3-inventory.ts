import { z } from "zod";
import type { InventoryFile, InventoryPlace } from "#engine/imports/inventory-place.ts";
import type { ListedEntry } from "#index/inventories/inventory-store.ts";
import type { ReadRowsOptions } from "#index/row-files/read-rows.ts";
import type { StorageLock } from "#model/copy.ts";
import type { InventoryFiles } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import type { ColumnBatch } from "#model/sql.ts";

const md5 = z
  .string()
  .regex(/^[\da-f]{32}$/iu)
  .toLowerCase();

/** The manifest.json of an S3 Inventory, as Amazon documents it. */
const manifestSchema = z.looseObject({
  sourceBucket: z.string(),
  creationTimestamp: z.coerce.number().int(),
  fileFormat: z.string(),
  fileSchema: z.string(),
  files: z.array(z.looseObject({ key: z.string(), size: z.int(), MD5checksum: md5.optional() })),
});

/** An S3 Inventory: what its manifest says, and where its files are. */
export interface S3Inventory {
  /** Names it among all inventories of the bucket. */
  readonly source: string;
  readonly bucket: string;
  readonly createdAt: Date;
  readonly format: "csv" | "parquet";
  /** Of CSV files, which have no header. */
  readonly columns: readonly string[];
  readonly place: InventoryPlace;
  readonly files: readonly InventoryFile[];
}

/** Reads a manifest.json, and finds the files that it names. */
export async function openS3Inventory(place: InventoryPlace): Promise<S3Inventory> {
  const manifest = await readManifest(place);
  const format = manifest.fileFormat.toLowerCase();
  if (format !== "csv" && format !== "parquet") {
    throw new EngineError("NOT_SUPPORTED", `${place.name}: inventories as ${manifest.fileFormat}`, {
      hint: "have S3 write this inventory as CSV or Parquet",
    });
  }
  const files = manifest.files.map(({ key, size, MD5checksum }) => {
    return { key, bytes: size, md5: MD5checksum };
  });
  await place.expect(files);
  const createdAt = new Date(manifest.creationTimestamp);
  return {
    source: `s3-inventory of ${createdAt.toISOString()}`,
    bucket: manifest.sourceBucket,
    createdAt,
    format,
    columns: manifest.fileSchema.split(",").map((name) => snakeCase(name.trim())),
    place,
    files,
  };
}

/** Reads the rows of one file. */
export type RowReader = (path: string, options: ReadRowsOptions) => AsyncIterable<ColumnBatch>;

const wanted = [
  "key",
  "size",
  "is_latest",
  "is_delete_marker",
  "object_lock_retain_until_date",
  "object_lock_mode",
  "object_lock_legal_hold_status",
];

/** What an inventory lists, behind a cursor: the newest version of each key. */
export async function* s3Entries(
  { place, files, format, columns }: S3Inventory,
  inventoryFiles: InventoryFiles,
  read: RowReader,
  cursor: string | undefined,
): AsyncGenerator<ListedEntry> {
  const [first = 0, past = 0] = (cursor ?? "0:0").split(":").map(Number);
  for (const [number, named] of files.entries()) {
    if (number < first) continue;
    await using file = await place.open(named);
    const after = number === first ? past : 0;
    const options = { format, wanted, after, ...(format === "csv" ? { columns } : {}) };
    for await (const batch of read(file.path, options)) {
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
  const [positions, keys, sizes, latest, markers, untils, modes, holds] = columns;
  for (let row = 0; row < rows; row += 1) {
    if (latest?.[row] === "false" || markers?.[row] === "true") continue;
    const cursor = `${file}:${Number(positions?.[row]) + 1}`;
    const text = String(keys?.[row]);
    const copy = inventoryFiles.copyOf(isEncoded ? decoded(text) : text, Number(sizes?.[row]));
    if (copy === undefined) {
      yield { foreign: true, cursor };
      continue;
    }
    const lock = listedLock(untils?.[row], modes?.[row], holds?.[row]);
    yield { ...copy, cursor, ...(lock === undefined ? {} : { lock }) };
  }
}

/** The lock that an inventory tells of, where it has these fields. */
function listedLock(until: unknown, mode: unknown, hold: unknown): StorageLock | undefined {
  const legalHold = textOf(hold).toUpperCase() === "ON";
  const at = timeOf(textOf(until));
  const retained = at !== undefined && textOf(mode) !== "";
  if (!legalHold && !retained) return undefined;
  return { legalHold, ...(retained ? { until: at.toISOString(), mode: textOf(mode) } : {}) };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** CSV files have times in ISO 8601, those of Parquet come as `2027-01-31 12:00:00+00`. */
function timeOf(text: string): Date | undefined {
  const [, day, clock, zone = "Z"] = timePattern.exec(text) ?? [];
  if (day === undefined || clock === undefined) return undefined;
  const offset = /^[+-]\d\d$/.test(zone) ? `${zone}:00` : zone;
  const time = new Date(`${day}T${clock}${offset}`);
  return Number.isNaN(time.getTime()) ? undefined : time;
}

const timePattern =
  /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d{1,3})?)\d*(Z|[+-]\d\d(?::\d\d)?)?$/;

/** Keys in CSV inventories are URL-encoded. */
function decoded(key: string): string {
  if (!encodedCharacter.test(key)) return key;
  try {
    return decodeURIComponent(key.replaceAll("+", " "));
  } catch {
    return key;
  }
}

const encodedCharacter = /[%+]/;

function snakeCase(name: string): string {
  return name.replaceAll(/([a-z])([A-Z])/g, "$1_$2").toLowerCase();
}

async function readManifest(place: InventoryPlace): Promise<z.output<typeof manifestSchema>> {
  try {
    return manifestSchema.parse(JSON.parse(await place.manifest()));
  } catch (cause) {
    if (cause instanceof EngineError) throw cause;
    throw new EngineError(
      "UNREADABLE",
      `${place.name} is not the manifest.json of an S3 Inventory`,
      {
        cause,
        hint: "name the manifest.json that S3 writes for an inventory: its path on the controller's machine, or s3://…",
      },
    );
  }
}
