import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Connection } from "#index/connection.ts";
import { literalPath } from "#index/literal-path.ts";
import { sqlLiteral } from "#index/sql-literal.ts";

/** Of a run: who reads a range of it reads whole groups of so many rows. */
export const rowsTogether = 4_096;

/** A row that is merged costs about as much as so many that are read and not wanted. Measured. */
const mergeCost = 8;
/** So few are never too many. */
const fewRuns = 4;

export interface MergeOptions {
  /** The column by which each run is in order. */
  readonly by: string;
  /** For what is merged; whatever else is in it goes. */
  readonly folder: string;
  /** Rows that somebody reads at a time, a range after the other. */
  readonly pieceRows: number;
}

/** The rows of runs (Parquet files that are each in the order of a column), to select from. */
export function readRuns(runs: readonly string[]): string {
  const paths = runs.map((path) => sqlLiteral(literalPath(path)));
  return `read_parquet([${paths.join(", ")}], hive_partitioning = false)`;
}

/** Writes rows (what comes behind FROM) to a run. */
export async function writeRun(
  connection: Connection,
  rows: string,
  { by, path }: { readonly by: string; readonly path: string },
): Promise<void> {
  await connection.run(
    `COPY (FROM ${rows} ORDER BY ${by}) TO ${sqlLiteral(path)}
     (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${rowsTogether})`,
  );
}

/**
 * Answers runs with the same rows that are few enough to be read by ranges. Each range opens every run and
 * reads at least a group of each, so with many runs what is read grows with their square: of n of
 * them the square root of n remain, where reading costs more than merging. Yields after each; those
 * that were given stay.
 */
export async function* mergeRuns(
  connection: Connection,
  runs: readonly string[],
  { by, folder, pieceRows }: MergeOptions,
): AsyncGenerator<void, readonly string[]> {
  await rm(folder, { recursive: true, force: true });
  if (runs.length <= Math.max(fewRuns, (mergeCost * pieceRows) / rowsTogether)) return runs;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const together = Math.ceil(Math.sqrt(runs.length));
  const merged: string[] = [];
  for (let at = 0; at < runs.length; at += together) {
    const path = join(folder, `run-${String(merged.length).padStart(6, "0")}.parquet`);
    await writeRun(connection, readRuns(runs.slice(at, at + together)), { by, path });
    merged.push(path);
    yield;
  }
  return merged;
}
