import type { Connection } from "#index/connection.ts";
import type { Database } from "#index/database.ts";
import {
  type ImportCounts,
  noCounts,
  requireCounts,
  storeCounts,
  storedCounts,
} from "#index/manifests/import-counts.ts";
import { type ManifestDefaults, stageManifestPiece } from "#index/manifests/manifest-piece.ts";
import {
  beginDryRun,
  putManifestPiece,
  tryManifestPiece,
} from "#index/manifests/put-manifest-piece.ts";
import { openRowFile } from "#index/row-files/open-row-file.ts";
import { pieceRowsMax, type RowFileSource } from "#index/row-files/row-file-source.ts";
import { EngineError } from "#model/engine-error.ts";
import { manifestColumns, type ManifestFormat } from "#model/object-manifest.ts";

/** A manifest, and what goes with its rows. */
export interface ManifestSource {
  /** Names this file with these options: an import of it that was cut off goes on. */
  readonly importId: string;
  readonly path: string;
  readonly format: ManifestFormat | undefined;
  readonly defaults: ManifestDefaults;
  readonly dryRun: boolean;
  /** Rows of one piece; default `pieceRowsMax`. */
  readonly pieceRows?: number;
  /** Forget how far an import of it had come. */
  readonly restart: boolean;
  /** Keeps malformed rows behind so many bytes of earlier ones; says how many it are then. */
  keep(rows: readonly MalformedRow[], keptBytes: number): Promise<number>;
}

export interface MalformedRow {
  /** Of the file, from 1. */
  readonly line: number;
  readonly reason: string;
  readonly text: string;
}

/** How far an import has come. */
export interface ManifestStep extends ImportCounts {
  readonly format: ManifestFormat;
  readonly ignored: readonly string[];
  readonly rowsTotal: number | undefined;
  /** Objects that this piece added. */
  readonly addedNow: number;
  readonly malformedNow: readonly MalformedRow[];
}

const wanted = Object.keys(manifestColumns);
const needed = ["cid", "size"];
/** Kept of a piece: one that is nothing but noise is kept by its beginning. */
const malformedMax = 10_000;

/** Reads a manifest into the index, a piece at a time, each with how far it is in one transaction. */
export class ManifestImport {
  readonly #database: Database;
  readonly #source: ManifestSource;
  readonly #now: () => Date;
  readonly #clockSkewMs: number;

  constructor(
    database: Database,
    source: ManifestSource,
    { now, clockSkewMs }: { readonly now: () => Date; readonly clockSkewMs: number },
  ) {
    this.#database = database;
    this.#source = source;
    this.#now = now;
    this.#clockSkewMs = clockSkewMs;
  }

  /** A step at the beginning, with what an interrupted import had done, and one for each piece. */
  async *run(): AsyncGenerator<ManifestStep> {
    const connection = await this.#database.connect();
    try {
      const { path, format } = this.#source;
      const file = await openRowFile(connection, path, { format });
      const ignored = checkColumns(path, file);
      const facts = { format: file.format, ignored };
      const begun = await this.#begin(connection);
      let counts = begun ?? noCounts;
      const { rowsTotal } = file;
      const rows = this.#source.pieceRows ?? pieceRowsMax;
      yield { ...facts, ...counts, rowsTotal, addedNow: 0, malformedNow: [] };
      for await (const piece of file.pieces(connection, wanted, { after: counts.past, rows })) {
        const done = await this.#take(connection, counts, piece.past);
        counts = done.counts;
        const { addedNow, malformedNow } = done;
        const total = rowsTotal ?? estimate(counts.past, piece.bytesRead, file.fileBytes);
        yield { ...facts, ...counts, rowsTotal: total, addedNow, malformedNow };
      }
      if (!this.#source.dryRun) await this.#end(counts, file.format);
    } finally {
      connection.close();
    }
  }

  async #begin(connection: Connection): Promise<ImportCounts | undefined> {
    const { importId, dryRun, restart } = this.#source;
    if (dryRun) {
      await beginDryRun(connection);
      return undefined;
    }
    if (!restart) return await storedCounts(connection, importId);
    await this.#database.write(async (transaction) => {
      transaction.keepVersion();
      await transaction.run("DELETE FROM imports WHERE import_id = $1", [importId]);
    });
    return undefined;
  }

  /** One piece: `file_rows` into the index. */
  async #take(connection: Connection, before: ImportCounts, past: number) {
    const { defaults, dryRun, importId, path } = this.#source;
    const now = this.#now();
    await stageManifestPiece(connection, defaults, now);
    const { rows } = await connection.row<{ rows: number }>(
      "SELECT count(*) AS rows FROM file_rows",
    );
    if (dryRun) {
      const put = await tryManifestPiece(connection, now, this.#clockSkewMs);
      const { malformed, kept } = await malformedRows(connection);
      const sum = { ...put, past, rows, malformed };
      return { counts: add(before, sum, 0), addedNow: 0, malformedNow: kept };
    }
    return await this.#database.write(async (transaction) => {
      const expected = before === noCounts ? undefined : before;
      await requireCounts(transaction, importId, expected);
      const put = await putManifestPiece(transaction, now, this.#clockSkewMs);
      const { malformed, kept } = await malformedRows(connection);
      // On disk before the transaction ends: how far the import is says that they are there.
      const keptBytes =
        kept.length === 0 ? before.keptBytes : await this.#source.keep(kept, before.keptBytes);
      const counts = add(before, { ...put, past, rows, malformed }, keptBytes);
      await storeCounts(transaction, { importId, source: path }, counts, now);
      return { counts, addedNow: put.added, malformedNow: kept };
    }, connection);
  }

  async #end(counts: ImportCounts, format: ManifestFormat): Promise<void> {
    const { importId, path: source } = this.#source;
    const { past: _past, keptBytes: _kept, ...figures } = counts;
    await this.#database.write(async (transaction) => {
      transaction.keepVersion();
      await transaction.run("DELETE FROM imports WHERE import_id = $1", [importId]);
      const detail = { source, format, ...figures };
      transaction.record({ at: this.#now(), kind: "import", reason: "manifest", detail });
    });
  }
}

/** The columns that mean nothing here; refuses a file without those that are needed. */
function checkColumns(path: string, { columns }: RowFileSource): readonly string[] {
  if (columns === undefined) return [];
  const missing = needed.filter((column) => !columns.includes(column));
  if (missing.length === 0) return columns.filter((column) => !wanted.includes(column));
  throw new EngineError("USAGE", `${path} has no column ${missing.join(" and no ")}`, {
    hint: `a manifest has the columns cid and size, and may have ${wanted.slice(2).join(", ")}`,
  });
}

async function malformedRows(
  connection: Connection,
): Promise<{ malformed: number; kept: readonly MalformedRow[] }> {
  const { malformed } = await connection.row<{ malformed: number }>(
    "SELECT count(*) AS malformed FROM row_problems",
  );
  if (malformed === 0) return { malformed, kept: [] };
  const kept = await connection.rows<{ line: number; reason: string; text: string }>(
    `SELECT p.position + 1 AS line, p.problem AS reason,
       coalesce(r.text, to_json(r)::VARCHAR) AS text
     FROM (FROM row_problems ORDER BY position LIMIT ${malformedMax}) AS p
     JOIN file_rows AS r USING (position) ORDER BY line`,
  );
  return { malformed, kept };
}

type Sum = Omit<ImportCounts, "keptBytes">;

function add(before: ImportCounts, sum: Sum, keptBytes: number): ImportCounts {
  return {
    past: sum.past,
    rows: before.rows + sum.rows,
    bytes: before.bytes + sum.bytes,
    added: before.added + sum.added,
    known: before.known + sum.known,
    copies: before.copies + sum.copies,
    malformed: before.malformed + sum.malformed,
    leftOut: before.leftOut + sum.leftOut,
    keptBytes,
  };
}

function estimate(past: number, bytesRead: number, fileBytes: number): number {
  return bytesRead === 0 ? past : Math.max(past, Math.round((past * fileBytes) / bytesRead));
}
