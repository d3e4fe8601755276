import { type Connection, micros } from "#index/connection.ts";
import { countAccesses } from "#index/record-accesses.ts";
import type { Database } from "#index/database.ts";
import type { Transaction } from "#index/transaction.ts";
import type { AccessLogCursor, AccessLogPiece } from "#model/access-log.ts";
import { EngineError } from "#model/engine-error.ts";
import type { Access, AccessCounts } from "#model/index-store.ts";

/** How far access logs have been counted, and what counts the next piece of one. */
export class AccessLogStore {
  readonly #database: Database;
  readonly #now: () => Date;

  constructor(database: Database, now: () => Date) {
    this.#database = database;
    this.#now = now;
  }

  /** Undefined when no line of the log was counted. */
  async cursor(logId: string): Promise<AccessLogCursor | undefined> {
    return await this.#database.read(async (connection) => await storedCursor(connection, logId));
  }

  /** Counts a piece and moves the cursor of its log behind it; CONFLICT when it is not there. */
  async count(piece: AccessLogPiece, accesses: readonly Access[]): Promise<AccessCounts> {
    return await this.#database.write(
      async (transaction) => await countPiece(transaction, piece, accesses, this.#now()),
    );
  }
}

async function storedCursor(
  connection: Connection,
  logId: string,
): Promise<AccessLogCursor | undefined> {
  const [row] = await connection.rows<{ lines: number; digest: string; kept_bytes: number }>(
    "SELECT lines, digest, kept_bytes FROM access_logs WHERE log_id = $1",
    [logId],
  );
  return row && { lines: row.lines, digest: row.digest, keptBytes: row.kept_bytes };
}

async function countPiece(
  transaction: Transaction,
  { logId, after, cursor }: AccessLogPiece,
  accesses: readonly Access[],
  now: Date,
): Promise<AccessCounts> {
  const known = await storedCursor(transaction.connection, logId);
  if ((known?.lines ?? 0) !== after) {
    throw new EngineError("CONFLICT", `the log ${logId} is being imported by somebody else, too`, {
      hint: "import it again when that has ended: what was counted is not counted twice",
    });
  }
  const counts =
    accesses.length === 0
      ? { applied: 0, unknown: 0 }
      : await countAccesses(transaction, accesses, now);
  if (counts.applied === 0) transaction.keepVersion();
  if (known === undefined) {
    await transaction.run(
      "INSERT INTO access_logs VALUES ($1, $2, $3, $4, make_timestamp($5::BIGINT))",
      [logId, cursor.lines, cursor.digest, cursor.keptBytes, micros(now)],
    );
  } else {
    await transaction.run(
      `UPDATE access_logs SET lines = $2, digest = $3, kept_bytes = $4,
         counted_at = make_timestamp($5::BIGINT) WHERE log_id = $1`,
      [logId, cursor.lines, cursor.digest, cursor.keptBytes, micros(now)],
    );
  }
  return counts;
}
