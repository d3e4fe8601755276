import type { Migration } from "#index/migration.ts";

/** Which controllers wrote this index, one after the other. */
export const controllerTerms: Migration = {
  number: 5,
  name: "controller terms",
  statements: [
    `CREATE TABLE controller_terms (
       epoch BIGINT NOT NULL, node VARCHAR NOT NULL, began TIMESTAMP NOT NULL,
       permit_ttl_ms BIGINT NOT NULL, permits_from TIMESTAMP NOT NULL, complete BOOLEAN NOT NULL)`,
  ],
};
