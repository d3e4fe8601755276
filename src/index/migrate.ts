import type { Connection } from "#index/connection.ts";
import { micros } from "#index/connection.ts";
import type { Migration } from "#index/migration.ts";
import { firstForm } from "#index/migrations/001-first-form.ts";
import { policyOfBatches } from "#index/migrations/002-policy-of-batches.ts";
import { failures } from "#index/migrations/003-failures.ts";
import { needsOfBatches } from "#index/migrations/004-needs-of-batches.ts";
import { controllerTerms } from "#index/migrations/005-controller-terms.ts";
import { actors } from "#index/migrations/006-actors.ts";
import { pausesAndCancels } from "#index/migrations/007-pauses.ts";
import { limitOverrides } from "#index/migrations/008-limit-overrides.ts";
import { starters } from "#index/migrations/009-starters.ts";
import { installation } from "#index/migrations/010-installation.ts";
import { heat } from "#index/migrations/011-heat.ts";
import { imports } from "#index/migrations/012-imports.ts";
import { approvals } from "#index/migrations/013-approvals.ts";
import { inventories } from "#index/migrations/014-inventories.ts";
import { leases } from "#index/migrations/015-leases.ts";
import { copiesSince } from "#index/migrations/016-copies-since.ts";
import { recoveredEntries } from "#index/migrations/017-recovered-entries.ts";
import { failuresOfRunRules } from "#index/migrations/018-failures-of-run-rules.ts";
import { costs } from "#index/migrations/019-costs.ts";
import { named } from "#index/migrations/020-named.ts";
import { guessedTimes } from "#index/migrations/021-guessed-times.ts";
import { storageLocks } from "#index/migrations/022-storage-locks.ts";
import { noIndexOfDigestKeys } from "#index/migrations/023-no-index-of-digest-keys.ts";
import { sameStorages } from "#index/migrations/024-same-storages.ts";
import { inventoriesUnderWay } from "#index/migrations/025-inventories-under-way.ts";
import { marksOfTerms } from "#index/migrations/026-marks-of-terms.ts";
import { viewStatements } from "#index/views.ts";
import { EngineError } from "#model/engine-error.ts";

const migrations: readonly Migration[] = [
  firstForm,
  policyOfBatches,
  failures,
  needsOfBatches,
  controllerTerms,
  actors,
  pausesAndCancels,
  limitOverrides,
  starters,
  installation,
  heat,
  imports,
  approvals,
  inventories,
  leases,
  copiesSince,
  recoveredEntries,
  failuresOfRunRules,
  costs,
  named,
  guessedTimes,
  storageLocks,
  noIndexOfDigestKeys,
  sameStorages,
  inventoriesUnderWay,
  marksOfTerms,
];

/** The schema version this engine writes. */
export const schemaVersion = migrations.length;

/**
 * Brings the database to a schema, the current one unless said otherwise, in one transaction; a
 * newer one is refused.
 */
export async function migrate(
  connection: Connection,
  now: Date,
  to: number = schemaVersion,
): Promise<void> {
  const found = await storedVersion(connection);
  checkVersion(Math.max(found, to));
  if (found >= to) return;
  await connection.run("BEGIN TRANSACTION");
  try {
    await connection.run(
      `CREATE TABLE IF NOT EXISTS schema_version (
         version INTEGER NOT NULL, name VARCHAR NOT NULL, applied_at TIMESTAMP NOT NULL)`,
    );
    for (const migration of migrations.slice(found, to)) {
      for (const statement of migration.statements) await connection.run(statement);
      await connection.run(
        "INSERT INTO schema_version VALUES ($1, $2, make_timestamp($3::BIGINT))",
        [migration.number, migration.name, micros(now)],
      );
    }
    // The views are those of the current schema, which comes when the index is opened.
    const views = to === schemaVersion ? viewStatements() : [];
    for (const statement of views) await connection.run(statement);
    await connection.run("COMMIT");
  } catch (error) {
    await connection.run("ROLLBACK");
    throw error;
  }
}

/** Refuses a schema that this engine does not know, or does not find. */
export async function requireCurrentSchema(connection: Connection): Promise<void> {
  const found = await storedVersion(connection);
  checkVersion(found);
  if (found < schemaVersion) {
    throw new EngineError("NOT_SUPPORTED", `the index has schema ${found}, older than needed`, {
      hint: "open it once with a controller of this version, which brings it up to date",
    });
  }
}

async function storedVersion(connection: Connection): Promise<number> {
  const tables = await connection.rows(
    `SELECT 1 FROM duckdb_tables()
     WHERE database_name = current_database() AND table_name = 'schema_version'`,
  );
  if (tables.length === 0) return 0;
  const row = await connection.row<{ version: number | null }>(
    "SELECT max(version) AS version FROM schema_version",
  );
  return row.version ?? 0;
}

function checkVersion(found: number): void {
  if (found <= schemaVersion) return;
  throw new EngineError(
    "NOT_SUPPORTED",
    `the index was written by a newer version (schema ${found}, this one knows ${schemaVersion})`,
    { hint: "upgrade thermocline on this machine; indexes are never taken back to an older form" },
  );
}
