import type { Migration } from "#index/migration.ts";

/** Plans that wait, or waited, for a person: one for each run that did not begin at once. */
export const approvals: Migration = {
  number: 13,
  name: "approvals",
  statements: [
    `CREATE TABLE approvals (
       run_id VARCHAR NOT NULL, state VARCHAR NOT NULL, origin VARCHAR NOT NULL,
       change_digest VARCHAR NOT NULL, expires_at TIMESTAMP NOT NULL, actions BIGINT NOT NULL,
       bytes BIGINT NOT NULL, record VARCHAR NOT NULL)`,
  ],
};
