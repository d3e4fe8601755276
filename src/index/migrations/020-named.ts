import type { Migration } from "#index/migration.ts";

/**
 * When content last came in under its name. What a name stands for now can be older content that
 * came back: the time of creation does not tell.
 */
export const named: Migration = {
  number: 20,
  name: "named",
  statements: ["ALTER TABLE objects ADD COLUMN named TIMESTAMP"],
};
