import type { Migration } from "#index/migration.ts";

/** What inventories found: the figures of each, and every difference of a backend's newest one. */
export const inventories: Migration = {
  number: 14,
  name: "inventories",
  statements: [
    `CREATE TABLE inventories (
       inventory_id BIGINT NOT NULL, backend_id INTEGER NOT NULL, source VARCHAR NOT NULL,
       begun_at TIMESTAMP NOT NULL, ended_at TIMESTAMP NOT NULL, listed BIGINT NOT NULL,
       confirmed BIGINT NOT NULL, lost BIGINT NOT NULL, unexpected BIGINT NOT NULL,
       changed BIGINT NOT NULL, foreign_entries BIGINT NOT NULL)`,
    `CREATE TABLE differences (
       backend_id INTEGER NOT NULL, kind VARCHAR NOT NULL, detail VARCHAR, object_id BIGINT,
       cid BLOB NOT NULL, locator VARCHAR NOT NULL, form VARCHAR, bytes BIGINT,
       believed_bytes BIGINT)`,
  ],
};
