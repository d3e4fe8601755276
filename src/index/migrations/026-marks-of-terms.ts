import type { Migration } from "#index/migration.ts";

/** Each term is marked with something drawn at random, which the lease in the queue notes too. */
export const marksOfTerms: Migration = {
  number: 26,
  name: "marks of terms",
  statements: ["ALTER TABLE controller_terms ADD COLUMN mark VARCHAR"],
};
