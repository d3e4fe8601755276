import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Connection, micros } from "#index/connection.ts";
import type { Believed } from "#index/inventories/compare-piece.ts";
import type { Listing } from "#index/inventories/listing.ts";
import { type Range, rangesOf } from "#index/inventories/key-ranges.ts";
import { mergeRuns, readRuns, writeRun } from "#index/inventories/merge-runs.ts";

const columns = [
  "object_id BIGINT",
  "cid BLOB",
  "locator VARCHAR",
  "form VARCHAR",
  "bytes BIGINT",
  "name VARCHAR",
  "legal_hold BOOLEAN",
  "lock_until TIMESTAMP",
  "lock_mode VARCHAR",
];
const names = columns.map((column) => column.split(" ")[0]).join(", ");

/** Ids are counted by so many, at most. */
const idsTogetherMax = 4_096;

/**
 * What is listed of objects that the index knew when the comparison began, in files of which each
 * is in the order of objects: a range of objects is read from all of them.
 */
export class KnownRows {
  readonly #connection: Connection;
  readonly #folder: string;
  readonly #below: number;
  #files: string[] = [];

  private constructor(connection: Connection, folder: string, below: number) {
    this.#connection = connection;
    this.#folder = folder;
    this.#below = below;
  }

  /** With a folder of its own, in which nothing stays; objects with ids below this are known. */
  static async begin(connection: Connection, folder: string, below: number): Promise<KnownRows> {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return new KnownRows(connection, folder, below);
  }

  /** Adds what is known of the temporary view `resolved_range`. */
  async add(): Promise<void> {
    const path = join(this.#folder, `known-${String(this.#files.length).padStart(6, "0")}.parquet`);
    const rows = `(SELECT ${names.replace("cid,", "NULL::BLOB AS cid,")} FROM resolved_range
      WHERE object_id < ${this.#below})`;
    await writeRun(this.#connection, rows, { by: "object_id", path });
    this.#files.push(path);
  }

  /** Makes the temporary view `known_rows` of all of it, which is read in pieces. Yields on the way. */
  async *present(pieceRows: number): AsyncGenerator<void> {
    await this.#connection.run(`CREATE OR REPLACE TEMP TABLE no_rows (${columns.join(", ")})`);
    const options = { by: "object_id", folder: join(this.#folder, "merged"), pieceRows };
    const runs = yield* mergeRuns(this.#connection, this.#files, options);
    const given = this.#files.filter((path) => !runs.includes(path));
    for (const path of given) await rm(path);
    this.#files = [...runs];
    const rows = runs.length === 0 ? "no_rows" : readRuns(runs);
    await this.#connection.run(
      `CREATE OR REPLACE TEMP VIEW known_files AS SELECT ${names} FROM ${rows}`,
    );
    await this.#connection.run("CREATE OR REPLACE TEMP VIEW known_rows AS FROM known_files");
  }

  /** Of objects in the temporary table `asked` counts what is in `found_again`, or nothing. */
  async replaceAsked(): Promise<void> {
    await this.#connection.run(
      `CREATE OR REPLACE TEMP VIEW known_rows AS
       SELECT ${names} FROM known_files ANTI JOIN asked USING (object_id)
       UNION ALL
       SELECT a.object_id, ${names.replace("object_id, cid,", "f.cid,")}
       FROM found_again AS f JOIN asked AS a ON a.cid = f.cid`,
    );
  }

  /** Ranges of the ids of objects with about so many copies each, listed or believed, from an id on. */
  async ranges(backendId: number, from: number, rowsMax: number): Promise<readonly Range[]> {
    const idsTogether = Math.min(idsTogetherMax, rowsMax);
    const groups = await this.#connection.rows<{ number: number; rows: number }>(
      `SELECT object_id // ${idsTogether} AS number, count(*) AS rows FROM (
         SELECT object_id FROM known_rows
         UNION ALL SELECT object_id FROM copies WHERE backend_id = $1)
       WHERE object_id >= $2 AND object_id < $3 GROUP BY ALL ORDER BY number`,
      [backendId, from, this.#below],
    );
    return rangesOf(groups, rowsMax).map(({ first, last }) => ({
      first: Math.max(first * idsTogether, from),
      last: Math.min((last + 1) * idsTogether, this.#below) - 1,
    }));
  }

  /**
   * Makes the temporary table `piece` of what is listed, but was not known, of objects that came in
   * since, and whose copies are not known to have been checked since the listing.
   */
  async arrived(listing: Pick<Listing, "backendId" | "asOf">): Promise<Believed> {
    const condition = "object_id >= $4 AND checked_at < make_timestamp($2::BIGINT)";
    const since = [listing.backendId, micros(listing.asOf), this.#below];
    const { count } = await this.#connection.row<{ count: number }>(
      `SELECT count(*) AS count FROM copies
       WHERE backend_id = $1 AND checked_at < make_timestamp($2::BIGINT) AND object_id >= $3`,
      since,
    );
    await this.#connection.run("CREATE OR REPLACE TEMP TABLE piece AS FROM no_rows");
    if (count > 0) await this.#connection.run(listedSince, since);
    return { condition, parameters: [this.#below] };
  }

  /** Makes the temporary table `piece` of a range of objects. */
  async piece({ first, last }: Range): Promise<Believed> {
    await this.#connection.run(
      `CREATE OR REPLACE TEMP TABLE piece AS
       SELECT ${names} FROM known_rows WHERE object_id BETWEEN $1 AND $2`,
      [first, last],
    );
    return { condition: "object_id BETWEEN $4 AND $5", parameters: [first, last] };
  }
}

const listedSince = `
  INSERT INTO piece
  SELECT o.object_id, ${names.replace("object_id, ", "l.").replaceAll(", ", ", l.")}
  FROM listing AS l JOIN objects AS o ON o.cid_key = l.cid_key AND o.cid = l.cid
  SEMI JOIN (
    FROM copies WHERE backend_id = $1 AND checked_at < make_timestamp($2::BIGINT)
      AND object_id >= $3
  ) AS c ON c.object_id = o.object_id
  QUALIFY row_number() OVER (PARTITION BY o.object_id ORDER BY l.position) = 1`;
