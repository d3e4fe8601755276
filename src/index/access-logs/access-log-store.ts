import { accessBatch } from "#index/access-logs/access-batch.ts";
import { type Connection, micros } from "#index/connection.ts";
import type { Database } from "#index/database.ts";
import { type ReadList, SharedFolds } from "#index/shared-folds.ts";
import type { AccessLogCursor, AccessLogPiece } from "#model/access-log.ts";
import { EngineError } from "#model/engine-error.ts";
import type { Access, AccessCounts, AccessSummary } from "#model/index-store.ts";

/** How far access logs have been counted, and what counts the next piece of one. */
export class AccessLogStore {
  readonly #database: Database;
  readonly #folds: SharedFolds;

  constructor(database: Database, now: () => Date) {
    this.#database = database;
    this.#folds = new SharedFolds(database, now);
  }

  /** Undefined when no line of the log was counted. */
  async cursor(logId: string): Promise<AccessLogCursor | undefined> {
    return await this.#database.read(async (connection) => await storedCursor(connection, logId));
  }

  /** Counts a piece and moves the cursor of its log behind it; CONFLICT when it is not there. */
  async count(piece: AccessLogPiece, accesses: readonly Access[]): Promise<AccessCounts> {
    const { applied, unknown } = await this.#folds.count(listOf(piece, accesses));
    return { applied, unknown };
  }

  /** Counts the reads of a batch, unless they were counted before. */
  async countBatch(batchId: string, accesses: readonly Access[]): Promise<AccessSummary> {
    return await this.#folds.count(accessBatch(batchId, accesses));
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

/** A piece of a log, which counts where the one before it ended. */
function listOf({ logId, after, cursor }: AccessLogPiece, reads: readonly Access[]): ReadList {
  let isFirst = false;
  return {
    name: `log ${logId}`,
    reads,
    known: async ({ connection }) => {
      const known = await storedCursor(connection, logId);
      isFirst = known === undefined;
      if ((known?.lines ?? 0) === after) return undefined;
      throw new EngineError(
        "CONFLICT",
        `the log ${logId} is being imported by somebody else, too`,
        { hint: "import it again when that has ended: what was counted is not counted twice" },
      );
    },
    note: async (transaction, _, now) => {
      await transaction.run(isFirst ? insertCursor : updateCursor, [
        logId,
        cursor.lines,
        cursor.digest,
        cursor.keptBytes,
        micros(now),
      ]);
    },
  };
}

const insertCursor = "INSERT INTO access_logs VALUES ($1, $2, $3, $4, make_timestamp($5::BIGINT))";

const updateCursor = `
  UPDATE access_logs SET lines = $2, digest = $3, kept_bytes = $4,
    counted_at = make_timestamp($5::BIGINT)
  WHERE log_id = $1`;
