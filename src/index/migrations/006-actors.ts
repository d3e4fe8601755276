import type { Migration } from "#index/migration.ts";

/** The ledger knows who had something done, and the reason they gave. */
export const actors: Migration = {
  number: 6,
  name: "actors",
  statements: [
    "ALTER TABLE ledger_entries ADD COLUMN actor VARCHAR",
    "ALTER TABLE ledger_entries ADD COLUMN note VARCHAR",
  ],
};
