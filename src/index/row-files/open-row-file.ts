import { open, stat } from "node:fs/promises";
import { extname } from "node:path";
import type { Connection } from "#index/connection.ts";
import { csvCells } from "#index/row-files/csv-record.ts";
import { ParquetRows } from "#index/row-files/parquet-rows.ts";
import type { RowFileSource, RowSourceFormat } from "#index/row-files/row-file-source.ts";
import { type Packing, textRecords } from "#index/row-files/text-records.ts";
import { TextRows } from "#index/row-files/text-rows.ts";
import { EngineError } from "#model/engine-error.ts";

export interface RowFileOptions {
  /** By default what the name ends in, or the first bytes, say. */
  readonly format?: RowSourceFormat | undefined;
  /** The columns of a CSV file that has no header. */
  readonly columns?: readonly string[];
}

/** Opens a CSV, NDJSON or Parquet file, the first two also packed with gzip or zstd. */
export async function openRowFile(
  connection: Connection,
  path: string,
  options: RowFileOptions = {},
): Promise<RowFileSource> {
  try {
    return await openSource(connection, path, options);
  } catch (cause) {
    if (cause instanceof EngineError && cause.code !== "INTERNAL") throw cause;
    throw new EngineError("UNREADABLE", `${path} cannot be read`, {
      cause,
      hint: "check that it exists on the controller's machine, is whole, and is CSV, NDJSON or Parquet",
    });
  }
}

async function openSource(
  connection: Connection,
  path: string,
  { format, columns }: RowFileOptions,
): Promise<RowFileSource> {
  const file = await stat(path);
  if (!file.isFile()) throw unreadable(`${path} is not a file`);
  const beginning = await firstBytes(path);
  if ((format ?? formatOfBytes(beginning)) === "parquet") {
    return await ParquetRows.open(connection, path, file.size);
  }
  const packing = packingOf(beginning);
  const line = await firstLine(path, packing);
  const facts = { path, packing, fileBytes: file.size };
  if ((format ?? textFormat(path, line)) === "ndjson") {
    return new TextRows({ ...facts, format: "ndjson", columns: undefined });
  }
  const delimiter = delimiterOf(line);
  if (columns !== undefined) {
    return new TextRows({ ...facts, format: "csv", columns, delimiter: ",", headerLines: 0 });
  }
  const header = headerOf(path, line, delimiter);
  return new TextRows({ ...facts, format: "csv", columns: header, delimiter, headerLines: 1 });
}

const beginningBytes = 4;

async function firstBytes(path: string): Promise<Buffer> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(beginningBytes), 0, beginningBytes, 0);
  return buffer.subarray(0, bytesRead);
}

function formatOfBytes(beginning: Buffer): RowSourceFormat | undefined {
  return beginning.toString("latin1") === "PAR1" ? "parquet" : undefined;
}

function packingOf(beginning: Buffer): Packing {
  const magic = beginning.toString("hex");
  if (magic.startsWith("1f8b")) return "gzip";
  return magic === "28b52ffd" ? "zstd" : "none";
}

async function firstLine(path: string, packing: Packing): Promise<string> {
  const options = { packing, after: 0, rows: 1, delimiter: undefined };
  for await (const { texts } of textRecords(path, options)) return texts[0] ?? "";
  return "";
}

function textFormat(path: string, line: string): RowSourceFormat {
  const extension = extname(path.replace(/\.(gz|zst)$/i, "")).toLowerCase();
  if (extension === ".csv" || extension === ".tsv") return "csv";
  if (extension === ".ndjson" || extension === ".jsonl") return "ndjson";
  return line.trimStart().startsWith("{") ? "ndjson" : "csv";
}

function delimiterOf(header: string): string {
  const counted = [",", ";", "\t"].map((one) => ({ one, count: header.split(one).length }));
  return counted.toSorted((a, b) => b.count - a.count)[0]?.one ?? ",";
}

function headerOf(path: string, line: string, delimiter: string): readonly string[] {
  const cells = csvCells(line, delimiter)?.map((cell) => cell.trim().toLowerCase());
  if (cells === undefined || line.trim() === "") throw unreadable(`${path} has no header`);
  const twice = cells.find((cell, at) => cells.indexOf(cell) !== at);
  if (twice !== undefined) throw unreadable(`${path} has two columns "${twice}"`);
  return cells;
}

function unreadable(message: string): EngineError {
  return new EngineError("UNREADABLE", message, {
    hint: "the first line of a CSV file names its columns",
  });
}
