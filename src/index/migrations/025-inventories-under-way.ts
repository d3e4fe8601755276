import type { Migration } from "#index/migration.ts";

/**
 * Inventories are compared with the index in pieces: how far each is, of which listing, how large
 * that is when it has ended, and of which inventory a difference is.
 */
export const inventoriesUnderWay: Migration = {
  number: 25,
  name: "inventories under way",
  statements: [
    `CREATE TABLE inventories_under_way (
       backend_id INTEGER NOT NULL, inventory_id BIGINT NOT NULL, listing_id VARCHAR NOT NULL,
       listing_parts BIGINT NOT NULL, listing_entries BIGINT NOT NULL,
       begun_at TIMESTAMP NOT NULL, compared_from TIMESTAMP NOT NULL,
       known_below BIGINT NOT NULL, keys_through BIGINT, objects_below BIGINT NOT NULL,
       listed BIGINT NOT NULL, confirmed BIGINT NOT NULL, lost BIGINT NOT NULL,
       unexpected BIGINT NOT NULL, changed BIGINT NOT NULL)`,
    "ALTER TABLE inventories ADD COLUMN listing_id VARCHAR",
    "ALTER TABLE differences ADD COLUMN inventory_id BIGINT",
    `UPDATE differences SET inventory_id = (
       SELECT max(i.inventory_id) FROM inventories AS i
       WHERE i.backend_id = differences.backend_id)`,
  ],
};
