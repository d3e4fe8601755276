import type { Migration } from "#index/migration.ts";

/**
 * Inventories are compared with the index in pieces: how far each is, and of which of them a
 * difference is.
 */
export const inventoriesUnderWay: Migration = {
  number: 25,
  name: "inventories under way",
  statements: [
    `CREATE TABLE inventories_under_way (
       backend_id INTEGER NOT NULL, inventory_id BIGINT NOT NULL, listing_id VARCHAR NOT NULL,
       begun_at TIMESTAMP NOT NULL,
       known_below BIGINT NOT NULL, keys_through BIGINT, objects_below BIGINT NOT NULL,
       listed BIGINT NOT NULL, confirmed BIGINT NOT NULL, lost BIGINT NOT NULL,
       unexpected BIGINT NOT NULL, changed BIGINT NOT NULL)`,
    "ALTER TABLE differences ADD COLUMN inventory_id BIGINT",
    `UPDATE differences SET inventory_id = (
       SELECT max(i.inventory_id) FROM inventories AS i
       WHERE i.backend_id = differences.backend_id)`,
  ],
};
