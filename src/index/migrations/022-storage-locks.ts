import type { Migration } from "#index/migration.ts";

/**
 * Copies that their storage itself lets nobody remove: those it holds until a time or until somebody
 * lifts that. What has no row has no lock that anybody was told of.
 */
export const storageLocks: Migration = {
  number: 22,
  name: "storage locks",
  statements: [
    `CREATE TABLE storage_locks (
       object_id BIGINT NOT NULL, backend_id INTEGER NOT NULL, legal_hold BOOLEAN NOT NULL,
       until TIMESTAMP, mode VARCHAR, seen_at TIMESTAMP NOT NULL)`,
  ],
};
