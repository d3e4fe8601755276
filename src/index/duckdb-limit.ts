import { parseSize } from "#model/quantity.ts";

const besideBytes = 112 * 2 ** 20;
const besideShare = 3 / 16;
const leastShare = 1 / 2;

/**
 * What DuckDB is told that it may take, of a limit that the whole process is to stay within.
 * Beside what DuckDB counts there are pages of its program, what it allocates without counting
 * (statements, entries of its catalogue, row groups of Parquet that are written), some 40 to 70 MiB,
 * and values that are read in JavaScript: of a long list some 60 MiB. Of very little memory DuckDB
 * gets more than that leaves, since with less it can do nothing: a configuration may not ask for
 * less than 256 MiB.
 */
export function duckdbLimit(memoryLimit: string): string {
  const limit = parseSize(memoryLimit);
  const rest = limit - besideBytes - limit * besideShare;
  return `${Math.floor(Math.max(rest, limit * leastShare))}B`;
}
