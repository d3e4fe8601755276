import type { Migration } from "#index/migration.ts";

/**
 * Since when a copy is known: storage with a minimum duration charges for what is left of it when
 * a copy goes. Of older copies only the last check is known, and no fee shall be told too small.
 */
export const copiesSince: Migration = {
  number: 16,
  name: "copies since",
  statements: [
    `ALTER TABLE copies ADD COLUMN since TIMESTAMP`,
    `UPDATE copies SET since = checked_at`,
  ],
};
