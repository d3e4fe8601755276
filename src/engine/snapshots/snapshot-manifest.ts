import { decode, encode } from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import { z } from "zod";
import { dagCborCode, sha256Digest } from "#content/cid.ts";
import { EngineError } from "#model/engine-error.ts";
import { snapshotFamilies } from "#model/index-snapshot.ts";

const cidSchema = z.custom<CID>((value) => CID.asCID(value) !== null, "must be a CID");
const whole = z.int().nonnegative();

const partSchema = z.strictObject({
  /** Its keys are `range × width` and the `width - 1` after it. */
  range: whole,
  rows: whole,
  bytes: whole,
  /** Of the Parquet file, as a UnixFS file of profile `unixfs-v1-2025`. */
  cid: cidSchema,
  /** Tells whether the rows changed, to the version of DuckDB that wrote it. */
  fingerprint: z.string(),
});

const tableSchema = z.strictObject({
  family: z.enum(snapshotFamilies),
  table: z.string(),
  key: z.string().nullable(),
  width: z.int().positive(),
  order: z.array(z.string()),
  columns: z.array(z.tuple([z.string(), z.string()])),
  parts: z.array(partSchema),
});

const manifestSchema = z.strictObject({
  format: z.literal("thermocline-index-snapshot"),
  version: z.literal(1),
  takenAt: z.iso.datetime(),
  /** Name of the installation whose index it is. */
  installation: z.string(),
  commits: whole,
  /** Schema version of the index. */
  schema: whole,
  /** Another version may write the same rows as other bytes. */
  duckdb: z.string(),
  parent: cidSchema.nullable(),
  tables: z.array(tableSchema),
});

export type SnapshotPart = Readonly<z.output<typeof partSchema>>;
export type ManifestTable = Readonly<z.output<typeof tableSchema>>;
/** What a snapshot is: a dag-cbor block that links its parts and the snapshot before it. */
export type SnapshotManifest = Readonly<z.output<typeof manifestSchema>>;

/** The block of a manifest and its CID. */
export function encodeManifest(manifest: SnapshotManifest): {
  readonly cid: string;
  readonly bytes: Uint8Array;
} {
  const bytes = encode(manifest);
  return { cid: manifestCid(bytes), bytes };
}

/** Reads a block that must have the given CID. Throws CORRUPT, or NOT_SUPPORTED when newer. */
export function decodeManifest(cid: string, bytes: Uint8Array): SnapshotManifest {
  if (manifestCid(bytes) !== cid) throw damaged(cid, "its bytes have another CID");
  const value: unknown = decode(bytes);
  const found = z.looseObject({ version: z.int() }).safeParse(value);
  if (found.success && found.data.version > 1) {
    throw new EngineError("NOT_SUPPORTED", `snapshot ${cid} was written by a newer version`, {
      hint: "upgrade thermocline on this machine",
    });
  }
  const manifest = manifestSchema.safeParse(value);
  if (!manifest.success) throw damaged(cid, z.prettifyError(manifest.error));
  return manifest.data;
}

/** Two of the same table: parts of one can stand in for parts of the other. */
export function sameLayout(
  a: Omit<ManifestTable, "parts">,
  b: Omit<ManifestTable, "parts">,
): boolean {
  return layoutOf(a) === layoutOf(b);
}

function layoutOf({ family, table, key, width, order, columns }: Omit<ManifestTable, "parts">) {
  return JSON.stringify([family, table, key, width, order, columns]);
}

function manifestCid(bytes: Uint8Array): string {
  return CID.createV1(dagCborCode, sha256Digest(bytes)).toString();
}

function damaged(cid: string, why: string): EngineError {
  return new EngineError("CORRUPT", `the manifest of snapshot ${cid} is damaged: ${why}`, {
    hint: "use another snapshot; `thermocline index snapshot ls` shows those that are whole",
  });
}
