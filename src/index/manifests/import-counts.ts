import { type Connection, micros } from "#index/connection.ts";
import type { Transaction } from "#index/transaction.ts";
import { EngineError } from "#model/engine-error.ts";
import type { SqlRow } from "#model/sql.ts";

/** What became of the rows of a manifest so far. */
export interface ImportCounts {
  /** Lines or rows of the file that are done with. */
  readonly past: number;
  readonly rows: number;
  readonly bytes: number;
  readonly added: number;
  readonly known: number;
  readonly copies: number;
  readonly malformed: number;
  readonly leftOut: number;
  /** Bytes of the file in which the malformed rows are kept. */
  readonly keptBytes: number;
}

export const noCounts: ImportCounts = {
  past: 0,
  rows: 0,
  bytes: 0,
  added: 0,
  known: 0,
  copies: 0,
  malformed: 0,
  leftOut: 0,
  keptBytes: 0,
};

interface ImportRow extends SqlRow {
  readonly past: number;
  readonly rows: number;
  readonly bytes: number;
  readonly added: number;
  readonly known: number;
  readonly copies: number;
  readonly malformed: number;
  readonly left_out: number;
  readonly kept_bytes: number;
}

/** How far an import had come when it was cut off; undefined when it was not. */
export async function storedCounts(
  connection: Pick<Connection, "rows">,
  importId: string,
): Promise<ImportCounts | undefined> {
  const [row] = await connection.rows<ImportRow>("SELECT * FROM imports WHERE import_id = $1", [
    importId,
  ]);
  if (row === undefined) return undefined;
  const { past, rows, bytes, added, known, copies, malformed } = row;
  const rest = { leftOut: row.left_out, keptBytes: row.kept_bytes };
  return { past, rows, bytes, added, known, copies, malformed, ...rest };
}

/** Refuses to go on when somebody else imports the same file, too. */
export async function requireCounts(
  transaction: Transaction,
  importId: string,
  expected: ImportCounts | undefined,
): Promise<void> {
  const stored = await storedCounts(transaction, importId);
  if (stored?.past === expected?.past) return;
  throw new EngineError("CONFLICT", "this file is being imported by somebody else, too", {
    hint: "wait until that has ended; what was imported is not imported twice",
  });
}

/** Notes how far an import has come, in the transaction of what it added. */
export async function storeCounts(
  transaction: Transaction,
  { importId, source }: { readonly importId: string; readonly source: string },
  counts: ImportCounts,
  now: Date,
): Promise<void> {
  const { past, rows, bytes, added, known, copies, malformed, leftOut, keptBytes } = counts;
  const figures = [past, rows, bytes, added, known, copies, malformed, leftOut, keptBytes];
  const changed = await transaction.run(
    `UPDATE imports SET updated_at = make_timestamp($2::BIGINT), past = $3, rows = $4, bytes = $5,
       added = $6, known = $7, copies = $8, malformed = $9, left_out = $10, kept_bytes = $11
     WHERE import_id = $1`,
    [importId, micros(now), ...figures],
  );
  if (changed > 0) return;
  await transaction.run(
    `INSERT INTO imports VALUES ($1, $2, make_timestamp($3::BIGINT), make_timestamp($3::BIGINT),
       $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    [importId, source, micros(now), ...figures],
  );
}
