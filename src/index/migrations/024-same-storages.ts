import type { Migration } from "#index/migration.ts";

/**
 * Backends that are one and the same storage, at least in part, as a worker found them when a copy
 * on the one was to be removed while one on the other remained: each pair once.
 */
export const sameStorages: Migration = {
  number: 24,
  name: "same storages",
  statements: [
    `CREATE TABLE same_storages (
       backend_id INTEGER NOT NULL, other_id INTEGER NOT NULL, found_at TIMESTAMP NOT NULL)`,
  ],
};
