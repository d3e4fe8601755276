import type { Migration } from "#index/migration.ts";

/**
 * What is a guess of the times of an object that only a list told of. Of what inventories found so
 * far the ledger knows: they noted it at the moment at which the object came into the index.
 *
 * Rows of manifests without times look like content that was handed in, but that this has had
 * `named` under its name since migration 20. Where an import of a manifest may have brought an
 * object, it is taken for a row of it: nothing is deleted then for being superseded, until
 * its content or its times are imported.
 */
export const guessedTimes: Migration = {
  number: 21,
  name: "guessed times",
  statements: [
    "ALTER TABLE objects ADD COLUMN guessed VARCHAR",
    `UPDATE objects SET guessed = 'created' FROM ledger_entries AS l
     WHERE l.kind = 'drift' AND l.reason = 'unexpected' AND l.object_id = objects.object_id
       AND l.recorded = objects.ingested`,
    `UPDATE objects SET guessed = 'created'
     WHERE created = ingested AND named IS NULL
       AND ((path IS NOT NULL AND ingested >= (
           SELECT applied_at FROM schema_version WHERE version = 20))
         OR ingested <= (SELECT max(recorded) FROM ledger_entries
           WHERE kind = 'import' AND reason = 'manifest')
         OR EXISTS (FROM imports))`,
  ],
};
