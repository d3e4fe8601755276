import type { Migration } from "#index/migration.ts";

/**
 * Entries of the ledger that a lost index had and its snapshot does not, as `audit` shows them:
 * what they refer to by number (runs, batches, objects) is not in this index, so they say it.
 */
export const recoveredEntries: Migration = {
  number: 17,
  name: "recovered entries",
  statements: [
    `CREATE TABLE recovered_entries (
       entry_id BIGINT NOT NULL, recorded TIMESTAMP NOT NULL, kind VARCHAR NOT NULL,
       outcome VARCHAR, reason VARCHAR, message VARCHAR, run VARCHAR, plan VARCHAR, action BIGINT,
       policy VARCHAR, rule VARCHAR, verb VARCHAR, backend VARCHAR, object_id BIGINT, cid BLOB,
       path VARCHAR, actor VARCHAR, note VARCHAR, detail VARCHAR)`,
  ],
};
