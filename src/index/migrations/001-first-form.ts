import type { Migration } from "#index/migration.ts";

/**
 * Narrow tables with dense integer keys, in order of arrival. Nothing has an index: zone maps serve
 * the dense keys, a scan of one column the digest keys, and an index has to fit into memory while
 * it is written.
 */
export const firstForm: Migration = {
  number: 1,
  name: "first form",
  statements: [
    `CREATE TYPE form AS ENUM ('dag', 'car', 'file')`,
    `CREATE TYPE copy_state AS ENUM ('present', 'lost', 'corrupt')`,
    `CREATE TYPE confidence AS ENUM ('claimed', 'listed', 'sampled', 'verified')`,
    `CREATE TYPE outcome AS ENUM ('done', 'skipped', 'failed', 'cancelled')`,
    `CREATE TYPE permit_state AS ENUM ('open', 'unknown', 'ended', 'done')`,

    `CREATE TABLE counters (
       commits BIGINT NOT NULL, next_object BIGINT NOT NULL, next_entry BIGINT NOT NULL,
       next_run BIGINT NOT NULL, next_plan BIGINT NOT NULL)`,
    `INSERT INTO counters VALUES (0, 0, 0, 1, 1)`,
    `CREATE TABLE heat_settings (landmark TIMESTAMP NOT NULL, half_life_ms BIGINT NOT NULL)`,

    `CREATE TABLE objects (
       object_id BIGINT NOT NULL, cid_key BIGINT NOT NULL, cid BLOB NOT NULL,
       size BIGINT NOT NULL, profile VARCHAR NOT NULL,
       path VARCHAR, names INTEGER NOT NULL, type VARCHAR, collection VARCHAR, owner VARCHAR,
       created TIMESTAMP NOT NULL, modified TIMESTAMP, ingested TIMESTAMP NOT NULL,
       accessed TIMESTAMP, reads BIGINT NOT NULL, heat_weight DOUBLE NOT NULL,
       present_mask BIGINT NOT NULL, listed_mask BIGINT NOT NULL, sampled_mask BIGINT NOT NULL,
       verified_mask BIGINT NOT NULL, in_flight_mask BIGINT NOT NULL,
       oldest_verified TIMESTAMP, nearest_expiry TIMESTAMP,
       held BOOLEAN NOT NULL, tombstoned TIMESTAMP)`,
    // Names after the first: the first one stands on the object row.
    `CREATE TABLE further_names (object_id BIGINT NOT NULL, path VARCHAR NOT NULL)`,
    `CREATE TABLE tags (object_id BIGINT NOT NULL, tag VARCHAR NOT NULL)`,
    `CREATE TABLE holds (object_id BIGINT NOT NULL, reason VARCHAR NOT NULL,
       since TIMESTAMP NOT NULL)`,
    `CREATE TABLE copies (
       object_id BIGINT NOT NULL, backend_id INTEGER NOT NULL, form form NOT NULL,
       locator VARCHAR NOT NULL, state copy_state NOT NULL, bytes BIGINT NOT NULL,
       confidence confidence NOT NULL, checked_at TIMESTAMP NOT NULL, verified_at TIMESTAMP,
       expires_at TIMESTAMP)`,
    `CREATE TABLE backends (
       backend_id INTEGER NOT NULL, name VARCHAR NOT NULL, configured BOOLEAN NOT NULL,
       driver VARCHAR NOT NULL, tier VARCHAR NOT NULL, region VARCHAR, labels VARCHAR NOT NULL,
       capacity_bytes BIGINT, price VARCHAR NOT NULL, capabilities VARCHAR NOT NULL,
       cordoned BOOLEAN NOT NULL, used_bytes BIGINT NOT NULL, copies BIGINT NOT NULL)`,

    `CREATE TABLE access_days (object_id BIGINT NOT NULL, day DATE NOT NULL,
       reads BIGINT NOT NULL)`,
    `CREATE TABLE access_batches (batch_id VARCHAR NOT NULL, applied BIGINT NOT NULL,
       unknown BIGINT NOT NULL, recorded_at TIMESTAMP NOT NULL)`,
    `CREATE TABLE ledger_entries (
       entry_id BIGINT NOT NULL, recorded TIMESTAMP NOT NULL, kind VARCHAR NOT NULL, run_id VARCHAR,
       plan_cid VARCHAR, sequence BIGINT, object_id BIGINT, outcome VARCHAR, reason VARCHAR,
       detail VARCHAR)`,

    `CREATE TABLE plans (
       plan_key BIGINT NOT NULL, plan_cid VARCHAR NOT NULL, evaluated_at VARCHAR NOT NULL,
       header VARCHAR NOT NULL)`,
    `CREATE TABLE plan_actions (
       plan_key BIGINT NOT NULL, sequence BIGINT NOT NULL, verb VARCHAR NOT NULL,
       object_id BIGINT NOT NULL, source INTEGER, target INTEGER, victim INTEGER,
       rule VARCHAR NOT NULL, reason VARCHAR NOT NULL, requirements VARCHAR)`,
    `CREATE TABLE runs (
       run_key BIGINT NOT NULL, run_id VARCHAR NOT NULL, plan_key BIGINT NOT NULL,
       plan_cid VARCHAR NOT NULL, state VARCHAR NOT NULL, created_at TIMESTAMP NOT NULL,
       ended_at TIMESTAMP)`,
    `CREATE TABLE batches (
       run_key BIGINT NOT NULL, number BIGINT NOT NULL, verb VARCHAR NOT NULL, source INTEGER,
       target INTEGER, victim INTEGER, lane VARCHAR NOT NULL, first BIGINT NOT NULL,
       past BIGINT NOT NULL, bytes BIGINT NOT NULL, state VARCHAR NOT NULL,
       attempt BIGINT NOT NULL, done BIGINT NOT NULL, skipped BIGINT NOT NULL,
       failed BIGINT NOT NULL, cancelled BIGINT NOT NULL, bytes_done BIGINT NOT NULL)`,
    `CREATE TABLE outcomes (
       run_key BIGINT NOT NULL, sequence BIGINT NOT NULL, outcome outcome NOT NULL,
       code VARCHAR, message VARCHAR, refused BOOLEAN NOT NULL)`,
    `CREATE TABLE permits (
       permit_id VARCHAR NOT NULL, run_key BIGINT NOT NULL, sequence BIGINT NOT NULL,
       object_id BIGINT NOT NULL, backend_id INTEGER NOT NULL, reserved_mask BIGINT NOT NULL,
       reserved VARCHAR NOT NULL, authority VARCHAR NOT NULL, issued_at TIMESTAMP NOT NULL,
       expires_at TIMESTAMP NOT NULL, state permit_state NOT NULL, ended_at TIMESTAMP,
       outcome outcome, code VARCHAR, message VARCHAR)`,
  ],
};
