import type { Migration } from "#index/migration.ts";

/**
 * Takes away the index that older files have on the digest keys of objects: it had to fit into
 * memory at each commit, so that no more than some twenty million objects fitted into the default
 * limit, and no statement was faster by it.
 */
export const noIndexOfDigestKeys: Migration = {
  number: 23,
  name: "no index of digest keys",
  statements: ["DROP INDEX IF EXISTS objects_by_cid"],
};
