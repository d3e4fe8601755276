import { type Connection, micros } from "#index/connection.ts";
import type { IndexCopy } from "#index/copy-database.ts";
import type { Database } from "#index/database.ts";
import { renewGraces } from "#index/renew-graces.ts";
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
  /** Drawn at random; missing where an older version noted the term. */
  readonly mark?: string;
}

/** What an index can tell of how far it was written; see `IndexMark`. */
export interface WrittenMark {
  readonly term: string;
  readonly entry: number;
  readonly check: string;
}

/** Terms that are kept: enough to see what happened, few enough to read at once. */
const termsKept = 1_000;

/** Which controllers wrote an index. */
export class TermBook {
  readonly #database: Pick<Database, "read" | "write" | "idle" | "copyTo">;

  constructor(database: Pick<Database, "read" | "write" | "idle" | "copyTo">) {
    this.#database = database;
  }

  /**
   * Notes that a controller begins to write. Where the index may lack something, marks for
   * deletion get a new grace.
   */
  async begin(term: Term): Promise<void> {
    await this.#database.write(async (transaction) => {
      const mayLack = !term.complete && term.mark !== undefined;
      const renewed = mayLack ? await renewGraces(transaction, term.began) : 0;
      if (renewed === 0) transaction.keepVersion();
      await transaction.run(insertTerm, [
        term.epoch,
        term.node,
        micros(term.began),
        term.permitTtlMs,
        micros(term.permitsFrom),
        term.complete,
        term.mark ?? null,
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

  /** How far this index was written. */
  async mark(): Promise<WrittenMark> {
    return await this.#database.read(async (connection) => {
      const { term, entry } = await connection.row<{ term: string | null; entry: number }>(
        `SELECT next_entry - 1 AS entry,
           (SELECT mark FROM controller_terms ORDER BY epoch DESC LIMIT 1) AS term FROM counters`,
      );
      return { term: term ?? "", entry, check: await checkOf(connection, entry) };
    });
  }

  /** Whether this index was once as far as that mark, and went on from there. */
  async has({ term, entry, check }: WrittenMark): Promise<boolean> {
    return await this.#database.read(async (connection) => {
      const { known } = await connection.row<{ known: boolean }>(
        "SELECT EXISTS (FROM controller_terms WHERE mark = $1) AS known",
        [term],
      );
      return known && (await checkOf(connection, entry)) === check;
    });
  }

  /**
   * What was made from a snapshot is another index from here on, and may lack what was written
   * since: marks for deletion get a new grace. Says how many those are.
   */
  async beginApart(now: Date): Promise<number> {
    return await this.#database.write(async (transaction) => {
      const renewed = await renewGraces(transaction, now);
      if (renewed === 0) transaction.keepVersion();
      await transaction.run("UPDATE controller_terms SET mark = NULL");
      return renewed;
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
    const { permit_ttl_ms: permitTtlMs, permits_from: permitsFrom, mark, ...rest } = row;
    return { ...rest, permitTtlMs, permitsFrom, ...(mark === null ? {} : { mark }) };
  }
}

const insertTerm = `
  INSERT INTO controller_terms VALUES
    ($1, $2, make_timestamp($3::BIGINT), $4, make_timestamp($5::BIGINT), $6, $7)`;

/** Tells an entry from another one of that number, which an index that went apart has. */
const entryWithCheck = `
  SELECT sha256(concat_ws(chr(31), entry_id, epoch_us(recorded), kind, coalesce(outcome, ''),
    coalesce(reason, ''), coalesce(run_id, ''), coalesce(plan_cid, ''), coalesce(sequence, -1),
    coalesce(object_id, -1), coalesce(detail, ''))) AS "check"
  FROM ledger_entries WHERE entry_id = $1`;

async function checkOf(connection: Connection, entry: number): Promise<string> {
  const [row] = await connection.rows<{ check: string }>(entryWithCheck, [entry]);
  return row?.check ?? "";
}

interface TermRow extends SqlRow {
  readonly epoch: number;
  readonly node: string;
  readonly began: Date;
  readonly permit_ttl_ms: number;
  readonly permits_from: Date;
  readonly complete: boolean;
  readonly mark: string | null;
}
