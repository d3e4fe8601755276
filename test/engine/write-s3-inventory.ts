import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { openIndex, temporaryFolder } from "../index/open-index.ts";

/** What the manifest says when S3 wrote it. */
export const inventoryCreatedAt = new Date("2026-01-02T00:00:00Z");

interface Key {
  readonly key: string;
  readonly size: number;
  readonly is_delete_marker?: string;
  /** Until when, how, and whether under a legal hold. */
  readonly lock?: readonly [until: string, mode: string, legalHold: "ON" | "OFF"];
}

const none = ["", "", "OFF"] as const;

const lockFields = ["ObjectLockRetainUntilDate", "ObjectLockMode", "ObjectLockLegalHoldStatus"];

function snakeCase(name: string): string {
  return name.replaceAll(/([a-z])([A-Z])/g, "$1_$2").toLowerCase();
}

/** As S3 lays an inventory out; answers the path of its manifest. */
export async function writeInventory(
  bucket: string,
  format: "CSV" | "Parquet",
  keys: readonly Key[],
): Promise<string> {
  const root = await temporaryFolder();
  const folder = join(root, "2026-01-02T00-00Z");
  await mkdir(folder);
  await mkdir(join(root, "data"));
  const name = format === "CSV" ? "0.csv.gz" : "0.parquet";
  const path = join(root, "data", name);
  if (format === "CSV") {
    const lines = keys.map(({ key, size, is_delete_marker: marker = "false", lock = none }) => {
      const encoded = encodeURIComponent(key).replaceAll("%20", "+");
      return `"${bucket}","${encoded}","","true","${marker}","${size}",${lock.map((field) => `"${field}"`).join()}\n`;
    });
    await writeFile(path, gzipSync(lines.join("")));
  } else {
    const { index } = await openIndex([]);
    await using session = await index.session();
    const rows = keys.map(
      ({ key, size, is_delete_marker: marker = "false", lock: [until, ...lock] = none }) =>
        `('${bucket}', '${key}', '', true, ${marker}, ${size}::BIGINT,
          nullif('${until}', '')::TIMESTAMPTZ, '${lock.join("', '")}')`,
    );
    const locks = lockFields.map(snakeCase).join();
    const columns = `t(bucket, key, version_id, is_latest, is_delete_marker, size, ${locks})`;
    const text = `SELECT * FROM (VALUES ${rows.join(", ")}) AS ${columns} ORDER BY key`;
    await session.exportParquet({ text, parameters: [] }, path);
  }
  const bytes = await readFile(path);
  const md5 = createHash("md5").update(bytes).digest("hex");
  const manifest = {
    sourceBucket: bucket,
    destinationBucket: "arn:aws:s3:::reports",
    version: "2016-11-30",
    creationTimestamp: String(inventoryCreatedAt.getTime()),
    fileFormat: format,
    fileSchema: ["Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size", ...lockFields].join(
      ", ",
    ),
    files: [{ key: `far/daily/data/${name}`, size: bytes.length, MD5checksum: md5 }],
  };
  const file = join(folder, "manifest.json");
  await writeFile(file, JSON.stringify(manifest));
  return file;
}
