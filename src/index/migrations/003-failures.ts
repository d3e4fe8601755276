import type { Migration } from "#index/migration.ts";

/** What failed and did not succeed since, policies that were suspended, and open repairs. */
export const failures: Migration = {
  number: 3,
  name: "failures",
  statements: [
    `CREATE TYPE failure_step AS ENUM ('copy', 'removal')`,
    `CREATE TABLE failure_limits (
       policy VARCHAR NOT NULL, quarantine_after BIGINT NOT NULL, suspend_at DOUBLE,
       minimum BIGINT NOT NULL)`,
    `CREATE TABLE failing_actions (
       object_id BIGINT NOT NULL, step failure_step NOT NULL, backend_id INTEGER NOT NULL,
       code VARCHAR NOT NULL, message VARCHAR NOT NULL, failures BIGINT NOT NULL,
       first_at TIMESTAMP NOT NULL, last_at TIMESTAMP NOT NULL, run_id VARCHAR NOT NULL,
       sequence BIGINT NOT NULL, verb VARCHAR NOT NULL, rule VARCHAR NOT NULL,
       quarantined_at TIMESTAMP)`,
    // The newest outcomes of policies that may be suspended, as JSON (outcome-window.ts).
    `CREATE TABLE outcome_windows (policy VARCHAR NOT NULL, counts VARCHAR NOT NULL)`,
    `CREATE TABLE suspensions (
       policy VARCHAR NOT NULL, since TIMESTAMP NOT NULL, failed BIGINT NOT NULL,
       outcomes BIGINT NOT NULL, message VARCHAR NOT NULL)`,
    `CREATE TABLE repairs (
       object_id BIGINT NOT NULL, backend_id INTEGER NOT NULL, found copy_state NOT NULL,
       opened_at TIMESTAMP NOT NULL, run_id VARCHAR, tries BIGINT NOT NULL,
       next_at TIMESTAMP NOT NULL, message VARCHAR)`,
  ],
};
