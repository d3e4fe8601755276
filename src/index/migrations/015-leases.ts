import type { Migration } from "#index/migration.ts";

/**
 * Copies that a rule wanted for a time only, and since when. A row without a backend stays when
 * its copy is gone: the rule has had what it wanted, until the object is read again.
 */
export const leases: Migration = {
  number: 15,
  name: "leases",
  statements: [
    `CREATE TABLE leases (
       object_id BIGINT NOT NULL, backend_id INTEGER, rule VARCHAR NOT NULL,
       since TIMESTAMP NOT NULL)`,
  ],
};
