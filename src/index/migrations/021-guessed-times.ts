import type { Migration } from "#index/migration.ts";

/**
 * What is a guess of the times of an object that only a list told of. Of what inventories found so
 * far the ledger knows: they noted it at the moment at which the object came into the index.
 */
export const guessedTimes: Migration = {
  number: 21,
  name: "guessed times",
  statements: [
    "ALTER TABLE objects ADD COLUMN guessed VARCHAR",
    `UPDATE objects SET guessed = 'created' FROM ledger_entries AS l
     WHERE l.kind = 'drift' AND l.reason = 'unexpected' AND l.object_id = objects.object_id
       AND l.recorded = objects.ingested`,
  ],
};
