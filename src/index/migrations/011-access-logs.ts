import type { Migration } from "#index/migration.ts";

/** How far each access log has been counted, so that no line of it counts twice. */
export const accessLogs: Migration = {
  number: 11,
  name: "access logs",
  statements: [
    `CREATE TABLE access_logs (
       log_id VARCHAR NOT NULL, lines BIGINT NOT NULL, digest VARCHAR NOT NULL,
       kept_bytes BIGINT NOT NULL, counted_at TIMESTAMP NOT NULL)`,
  ],
};
