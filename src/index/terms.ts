import { micros } from "#index/connection.ts";
import type { IndexCopy } from "#index/copy-database.ts";
import type { Database } from "#index/database.ts";
import type { SqlRow } from "#model/sql.ts";

/** The time during which one controller wrote this index. */
export interface Term {
  /** The epoch of its lease. */
  readonly epoch: number;
  readonly node: string;
  readonly began: Date;
  /** How long the permits of this term may be used. */
  readonly permitTtlMs: number;
  /** Before this no permit is issued: earlier terms may have issued some that are not known. */
  readonly permitsFrom: Date;
  /** Whether the index was all that the term before had written. */
  readonly complete: boolean;
}

/** Terms that are kept: enough to see what happened, few enough to read at once. */
const termsKept = 1_000;

/** Which controllers wrote an index. */
export class TermBook {
  readonly #database: Pick<Database, "read" | "write" | "idle" | "copyTo">;

  constructor(database: Pick<Database, "read" | "write" | "idle" | "copyTo">) {
    this.#database = database;
  }

  /** Notes that a controller begins to write. */
  async begin(term: Term): Promise<void> {
    await this.#database.write(async (transaction) => {
      transaction.keepVersion();
      await transaction.run(insertTerm, [
        term.epoch,
        term.node,
        micros(term.began),
        term.permitTtlMs,
        micros(term.permitsFrom),
        term.complete,
      ]);
      const oldest = term.epoch - termsKept;
      await transaction.run("DELETE FROM controller_terms WHERE epoch <= $1", [oldest]);
    });
  }

  /**
   * Notes that permits may be in use until then of which this index is not sure: it is an older
   * state of itself, or the clock by which they end went forward.
   */
  async holdPermits(until: Date, permitTtlMs: number): Promise<void> {
    const latest = await this.latest();
    if (latest === undefined) {
      const began = { epoch: 0, node: "restored", began: until, complete: false };
      await this.begin({ ...began, permitTtlMs, permitsFrom: until });
      return;
    }
    await this.#database.write(async (transaction) => {
      transaction.keepVersion();
      await transaction.run(
        `UPDATE controller_terms
         SET permits_from = greatest(permits_from, make_timestamp($2::BIGINT)) WHERE epoch = $1`,
        [latest.epoch, micros(until)],
      );
    });
  }

  /** The name of the installation, which every copy of the index has too. */
  async installation(): Promise<string> {
    return await this.#database.read(async (connection) => {
      const { id } = await connection.row<{ id: string }>("SELECT id FROM installation");
      return id;
    });
  }

  /** Copies one state of the index, as this term has written it, into a new database file. */
  async copyIndex(path: string): Promise<IndexCopy> {
    return await this.#database.copyTo(path);
  }

  /** Resolves when every write that was begun has ended: nothing of the term is under way. */
  async settled(): Promise<void> {
    await this.#database.idle();
  }

  /** The longest time for which a permit of any kept term may be used; 0 where there is none. */
  async longestPermitTtlMs(): Promise<number> {
    const [row] = await this.#database.read(
      async (connection) =>
        await connection.rows<{ longest: number | null }>(
          "SELECT max(permit_ttl_ms) AS longest FROM controller_terms",
        ),
    );
    return row?.longest ?? 0;
  }

  /** The newest term; undefined when no controller has written the index yet. */
  async latest(): Promise<Term | undefined> {
    const [row] = await this.#database.read(
      async (connection) =>
        await connection.rows<TermRow>(
          "SELECT * FROM controller_terms ORDER BY epoch DESC LIMIT 1",
        ),
    );
    if (row === undefined) return undefined;
    const { permit_ttl_ms: permitTtlMs, permits_from: permitsFrom, ...rest } = row;
    return { ...rest, permitTtlMs, permitsFrom };
  }
}

const insertTerm = `
  INSERT INTO controller_terms VALUES
    ($1, $2, make_timestamp($3::BIGINT), $4, make_timestamp($5::BIGINT), $6)`;

interface TermRow extends SqlRow {
  readonly epoch: number;
  readonly node: string;
  readonly began: Date;
  readonly permit_ttl_ms: number;
  readonly permits_from: Date;
  readonly complete: boolean;
}
