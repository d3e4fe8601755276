import type { Migration } from "#index/migration.ts";

/**
 * How far each access log has been counted, so that no line of it counts twice, and when an object
 * was moved last, so that it is not moved to and fro.
 */
export const heat: Migration = {
  number: 11,
  name: "heat",
  statements: [
    `CREATE TABLE access_logs (
       log_id VARCHAR NOT NULL, lines BIGINT NOT NULL, digest VARCHAR NOT NULL,
       kept_bytes BIGINT NOT NULL, counted_at TIMESTAMP NOT NULL)`,
    "ALTER TABLE objects ADD COLUMN moved TIMESTAMP",
  ],
};
