import type { Migration } from "#index/migration.ts";

/** Limits of backends that a person set while the engine runs. */
export const limitOverrides: Migration = {
  number: 8,
  name: "limit overrides",
  statements: [
    `CREATE TABLE limit_overrides (
       backend VARCHAR NOT NULL, concurrency INTEGER, per_node INTEGER, rate VARCHAR,
       bandwidth VARCHAR, until TIMESTAMP, reason VARCHAR, set_at TIMESTAMP NOT NULL)`,
  ],
};
