import { micros } from "#index/connection.ts";
import type { Database } from "#index/database.ts";
import type { Transaction } from "#index/transaction.ts";
import type { LimitOverride } from "#model/backend-limits.ts";
import type { SqlRow } from "#model/sql.ts";

/** Limits that were set while the engine runs, so that they survive a restart. */
export class LimitStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async overrides(): Promise<readonly LimitOverride[]> {
    const rows = await this.#database.read((connection) =>
      connection.rows<OverrideRow>("SELECT * FROM limit_overrides ORDER BY backend"),
    );
    return rows.map((row) => ({
      backend: row.backend,
      ...(row.concurrency === null ? {} : { concurrency: row.concurrency }),
      ...(row.per_node === null ? {} : { perNode: row.per_node }),
      ...(row.rate === null ? {} : { rate: row.rate }),
      ...(row.bandwidth === null ? {} : { bandwidth: row.bandwidth }),
      ...(row.until === null ? {} : { until: row.until.toISOString() }),
      ...(row.reason === null ? {} : { reason: row.reason }),
    }));
  }

  /** Replaces what was set for the backend before. */
  async setOverride(override: LimitOverride, now: Date): Promise<void> {
    const { backend, concurrency, perNode, rate, bandwidth, until, reason } = override;
    await this.#database.write(async (transaction) => {
      await remove(transaction, backend);
      await transaction.run(
        `INSERT INTO limit_overrides
         VALUES ($1, $2, $3, $4, $5, make_timestamp($6::BIGINT), $7,
           make_timestamp($8::BIGINT))`,
        [
          backend,
          concurrency ?? null,
          perNode ?? null,
          rate ?? null,
          bandwidth ?? null,
          until === undefined ? null : micros(new Date(until)),
          reason ?? null,
          micros(now),
        ],
      );
      transaction.record({ at: now, kind: "limits", reason: "set", detail: override });
    });
  }

  async removeOverride(backend: string, now: Date): Promise<void> {
    await this.#database.write(async (transaction) => {
      await remove(transaction, backend);
      transaction.record({ at: now, kind: "limits", reason: "reset", detail: { backend } });
    });
  }
}

async function remove(transaction: Transaction, backend: string): Promise<void> {
  await transaction.run("DELETE FROM limit_overrides WHERE backend = $1", [backend]);
}

interface OverrideRow extends SqlRow {
  readonly backend: string;
  readonly concurrency: number | null;
  readonly per_node: number | null;
  readonly rate: string | null;
  readonly bandwidth: string | null;
  readonly until: Date | null;
  readonly reason: string | null;
}
